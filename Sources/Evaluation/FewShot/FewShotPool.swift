/// Where few-shot examples come from.
enum FewShotPool: Sendable {
    case listed([JSONValue])
    /// The rows of a data set, or those of them that `rows` names.
    case dataSet(DataSet, rows: [Int]?)

    var count: Int {
        switch self {
        case .listed(let documents): documents.count
        case .dataSet(let dataSet, let rows): rows?.count ?? dataSet.rowCount
        }
    }

    /// An example's document.
    func document(at index: Int) throws(TaskError) -> JSONValue {
        switch self {
        case .listed(let documents):
            guard documents.indices.contains(index) else {
                throw TaskError(.invalidData, "there is no few-shot example \(index)")
            }
            return documents[index]
        case .dataSet(let dataSet, let rows):
            guard let rows else { return try dataSet.document(at: index).value }
            guard rows.indices.contains(index) else {
                throw TaskError(.invalidData, "there is no few-shot example \(index)")
            }
            return try dataSet.document(at: rows[index]).value
        }
    }
}
