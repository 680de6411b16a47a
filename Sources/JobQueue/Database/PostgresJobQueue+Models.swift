import FoundationEssentials
import Postgres
import SQL

extension PostgresJobQueue {
    @discardableResult
    public func addModel(_ model: ModelRecord, replacing: Bool) async throws(QueueError) -> ModelRecord {
        try model.validate()
        let parameters: [(any PostgresEncodable)?] = [
            model.name, model.path, model.sha256, model.bytes, model.architecture, model.parameters,
            model.contextLength, model.vocabularySize, model.tokenizerSHA256, model.quantization, replacing,
        ]
        try await query(.addModel, parameters, to: "add model '\(model.name)'") { _ in }
        let stored = try await self.model(named: model.name)
        guard stored.sha256 == model.sha256 else {
            throw QueueError.modelConflict(stored, model)
        }
        return stored
    }

    public func models() async throws(QueueError) -> [ModelRecord] {
        try await query(.listModels, [nil], to: "list the models", read: ModelRecord.all(in:))
    }

    public func model(named name: String) async throws(QueueError) -> ModelRecord {
        try check(name, "the model's name", 1...200)
        let found = try await query(.listModels, [name], to: "look for model '\(name)'", read: ModelRecord.all(in:))
        guard let model = found.first else {
            throw QueueError.modelNotFound(name, existing: try await models().map(\.name))
        }
        return model
    }
}

extension ModelRecord {
    static func all(in rows: PostgresRows) throws(PostgresError) -> [ModelRecord] {
        var records: [ModelRecord] = []
        for row in rows {
            records.append(try ModelRecord(row))
        }
        return records
    }

    private init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            name: try row.decode("name"), path: try row.decode("path"), sha256: try row.decode("sha256"),
            bytes: try row.decode("bytes"), architecture: try row.decode("architecture"),
            parameters: try row.decode("parameters"), contextLength: try row.decode("context_length"),
            vocabularySize: try row.decode("vocabulary_size"),
            tokenizerSHA256: try row.decode("tokenizer_sha256"), quantization: try row.decode("quantization"),
            addedAt: try row.date("added_at"))
    }
}
