import FoundationEssentials

extension Ledger {
    mutating func addDataSet(
        _ dataSet: DataSetRecord, replacing: Bool, now: Date
    ) throws(QueueError) -> DataSetAddition {
        try dataSet.validate()
        let existing = dataSets[dataSet.name]
        if !replacing { try existing?.checkContent(dataSet) }
        let changed = dataSet.splits.filter { existing?[$0.name]?.sha256 != $0.sha256 }
        var record = existing ?? DataSetRecord(dataSet.name, splits: [])
        record.splits.removeAll { split in changed.contains { $0.name == split.name } }
        for var split in changed {
            split.addedAt = now
            record.splits.append(split)
        }
        record.splits.sort { $0.name < $1.name }
        dataSets[dataSet.name] = record
        return DataSetAddition(record: record, changed: changed.map(\.name).sorted())
    }

    func dataSet(_ name: DataSetName, with splits: [String]) throws(QueueError) -> DataSetRecord {
        guard let dataSet = dataSets[name] else {
            throw QueueError.dataSetNotFound(name, splits: splits, existing: dataSets.keys.sorted())
        }
        try dataSet.checkSplits(splits)
        return dataSet
    }

    mutating func removeDataSet(_ name: DataSetName) throws(QueueError) {
        guard dataSets.removeValue(forKey: name) != nil else {
            throw QueueError.dataSetNotFound(name, splits: [], existing: dataSets.keys.sorted())
        }
    }
}
