/// Data sets by name.
public protocol DataSetRegistry: Sendable {
    /// Adds splits to a data set, all or none; a split with the same rows again changes nothing.
    ///
    /// - Parameter replacing: Let the splits mean these rows from now on; jobs submitted before keep theirs.
    /// - Throws: `conflict` when a split stands for other rows.
    @discardableResult
    func addDataSet(_ dataSet: DataSetRecord, replacing: Bool) async throws(QueueError) -> DataSetAddition

    /// All data sets by name.
    func dataSets() async throws(QueueError) -> [DataSetRecord]

    /// The data set of this name, with these splits at least.
    ///
    /// - Throws: `notFound` with what exists and the command that adds what is missing.
    func dataSet(_ name: DataSetName, with splits: [String]) async throws(QueueError) -> DataSetRecord

    /// Forgets the name; the rows stay in the store.
    func removeDataSet(_ name: DataSetName) async throws(QueueError)
}

extension DataSetRegistry {
    @discardableResult
    public func addDataSet(_ dataSet: DataSetRecord) async throws(QueueError) -> DataSetAddition {
        try await addDataSet(dataSet, replacing: false)
    }

    public func dataSet(_ name: DataSetName) async throws(QueueError) -> DataSetRecord {
        try await dataSet(name, with: [])
    }
}
