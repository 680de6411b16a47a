// The sentences that both implementations say.
extension QueueError {
    static func dataSetNotFound(
        _ name: DataSetName, splits: [String], existing: [DataSetName]
    ) -> QueueError {
        // Of many, those that are meant most likely.
        let configs = existing.filter { $0.name == name.name }
        let others = configs.isEmpty ? existing : configs
        let shown = others.prefix(20).map(\.description) + (others.count > 20 ? ["..."] : [])
        let known = others.isEmpty ? "none was added yet" : "there are \(shown.joined(separator: ", "))"
        return QueueError(
            .notFound,
            "there is no data set '\(name)' (\(known)): add it with "
                + "`\(name.addCommand(splits: splits.isEmpty ? ["test"] : splits))`")
    }

    static func splitsNotFound(_ splits: [String], of dataSet: DataSetRecord) -> QueueError {
        QueueError(
            .notFound,
            "data set '\(dataSet.name)' has no split \(splits.joined(separator: ", ")) (there are "
                + "\(dataSet.splits.map(\.name).joined(separator: ", "))): add it with "
                + "`\(dataSet.name.addCommand(splits: splits))`")
    }

    static func dataSetConflict(
        _ name: DataSetName, _ existing: DataSetRecord.Split, _ new: DataSetRecord.Split
    ) -> QueueError {
        QueueError(
            .conflict,
            "the split \(new.name) of data set '\(name)' is \(existing.source) (rows: \(existing.rows), sha256 "
                + "\(existing.sha256.prefix(12))...), not \(new.source) (rows: \(new.rows), sha256 "
                + "\(new.sha256.prefix(12))...): replace it (--replace), or choose another name")
    }
}

extension DataSetRecord {
    /// Refuses a data set that lacks one of `splits`.
    func checkSplits(_ splits: [String]) throws(QueueError) {
        let missing = splits.filter { self[$0] == nil }
        guard missing.isEmpty else { throw QueueError.splitsNotFound(missing, of: self) }
    }

    /// Refuses a data set in which a split of `wanted` stands for other rows.
    func checkContent(_ wanted: DataSetRecord) throws(QueueError) {
        for split in wanted.splits {
            guard let existing = self[split.name], existing.sha256 != split.sha256 else { continue }
            throw QueueError.dataSetConflict(name, existing, split)
        }
    }
}
