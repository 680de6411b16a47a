public import Evaluation
public import JobQueue
public import ResultStore

/// The data sets of a queue's registry, with their rows from the store.
public struct RegisteredDataSets: DataSetCatalog {
    private let registry: any DataSetRegistry
    /// Opened only when rows are wanted: most commands can do without.
    private let store: @Sendable () async throws(StoreError) -> Store

    public init(
        _ registry: any DataSetRegistry, store: @escaping @Sendable () async throws(StoreError) -> Store
    ) {
        self.registry = registry
        self.store = store
    }

    public func rows(
        of dataSet: DataSetReference, evaluated: String, fewShot: String?
    ) async throws(TaskError) -> TaskData {
        let splits = [evaluated] + [fewShot].compactMap { $0 }.filter { $0 != evaluated }
        let record: DataSetRecord
        do {
            record = try await self.registry.dataSet(
                try DataSetName(dataSet.path, config: dataSet.name), with: splits)
        } catch {
            throw TaskError(error.isTransient ? .unreadableFile : .invalidValue, "\(error)")
        }
        var data = TaskData(evaluated: try await self.rows(of: record, split: evaluated))
        if let fewShot {
            data.fewShotPool =
                fewShot == evaluated ? data.evaluated : try await self.rows(of: record, split: fewShot)
        }
        return data
    }

    /// The rows of one split, checked against the sha256 that was registered.
    public func rows(of record: DataSetRecord, split name: String) async throws(TaskError) -> DataSet {
        guard let split = record[name] else {
            throw TaskError(.invalidValue, "data set '\(record.name)' has no split \(name)")
        }
        let bytes: [UInt8]
        do {
            bytes = try await self.store().dataSet(sha256: split.sha256)
        } catch {
            throw TaskError(
                .unreadableFile,
                "the rows of data set '\(record.name)', split \(name), can't be read: \(error) (the same "
                    + "`assay dataset add` again puts them back; they came from \(split.source))")
        }
        return try DataSet(jsonl: bytes, file: "\(record.name), split \(name)")
    }
}
