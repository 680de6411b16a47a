internal import OrderedCollections

extension DataSet {
    /// The names of all columns, in the order in which the rows have them first.
    ///
    /// - Throws: `TaskError` where the rows have so few keys in common that they are no columns.
    public func columns() throws(TaskError) -> [String] {
        var columns: OrderedSet<String> = []
        for row in 0..<self.rowCount {
            guard case .object(let members) = try self.document(at: row).value else { continue }
            columns.formUnion(members.keys)
            guard columns.count <= Limit.columns else {
                throw TaskError(
                    .limitExceeded,
                    "up to row \(row) (from 0) there are more than \(Limit.columns) different keys; put what differs "
                        + "from row to row under one key", file: self.file)
            }
        }
        return Array(columns)
    }
}
