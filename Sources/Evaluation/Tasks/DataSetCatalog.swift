/// Knows data sets by name.
public protocol DataSetCatalog: Sendable {
    /// The rows of the split that is evaluated, and of the one that few-shot examples come from.
    ///
    /// - Throws: `TaskError` that says what is registered, and how to register what is missing.
    func rows(
        of dataSet: DataSetReference, evaluated: String, fewShot: String?
    ) async throws(TaskError) -> TaskData
}

/// For tasks whose rows are in files.
public struct NoDataSets: DataSetCatalog {
    public init() {}

    public func rows(
        of dataSet: DataSetReference, evaluated: String, fewShot: String?
    ) async throws(TaskError) -> TaskData {
        throw dataSet.isNotLookedFor()
    }
}

extension DataSetReference {
    func isNotLookedFor(in file: String = "") -> TaskError {
        TaskError(
            .unreadableFile,
            "the rows are those of the registered data set \(self), which is not looked for here; name files in "
                + "dataset_kwargs.data_files", file: file)
    }
}
