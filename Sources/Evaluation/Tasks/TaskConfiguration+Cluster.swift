internal import PythonCompat

extension TaskConfiguration {
    /// What the cluster key's column says of a row; `nil` if the task names no cluster key.
    func cluster(of document: Document) throws(TaskError) -> String? {
        guard let key = self.clusterKey else { return nil }
        switch document.value[key] {
        case nil, .null?, .array?, .object?:
            throw TaskError(
                .invalidSample,
                "row \(document.row) has no text or number in the column \(key), which metadata.cluster_key names")
        case let value?: return PythonText.str(value)
        }
    }
}
