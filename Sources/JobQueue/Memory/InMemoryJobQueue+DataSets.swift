extension InMemoryJobQueue {
    @discardableResult
    public func addDataSet(_ dataSet: DataSetRecord, replacing: Bool) throws(QueueError) -> DataSetAddition {
        try change { ledger, now throws(QueueError) in
            try ledger.addDataSet(dataSet, replacing: replacing, now: now)
        }
    }

    public func dataSets() throws(QueueError) -> [DataSetRecord] {
        ledger.dataSets.values.sorted { $0.name < $1.name }
    }

    public func dataSet(_ name: DataSetName, with splits: [String]) throws(QueueError) -> DataSetRecord {
        try ledger.dataSet(name, with: splits)
    }

    public func removeDataSet(_ name: DataSetName) throws(QueueError) {
        try change { ledger, _ throws(QueueError) in try ledger.removeDataSet(name) }
    }
}
