import FoundationEssentials

extension Ledger {
    mutating func addModel(_ model: ModelRecord, replacing: Bool, now: Date) throws(QueueError) -> ModelRecord {
        try model.validate()
        if let existing = models[model.name] {
            guard existing.sha256 != model.sha256 || (replacing && existing.path != model.path) else { return existing }
            guard replacing else {
                throw QueueError.modelConflict(existing, model)
            }
        }
        var added = model
        added.addedAt = now
        models[model.name] = added
        return added
    }

    func model(named name: String) throws(QueueError) -> ModelRecord {
        guard let model = models[name] else {
            throw QueueError.modelNotFound(name, existing: models.keys.sorted())
        }
        return model
    }
}
