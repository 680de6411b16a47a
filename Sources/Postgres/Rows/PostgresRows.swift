/// The rows of a statement's result, in memory.
public struct PostgresRows: RandomAccessCollection, Sendable {
    private let result: ResultHandle
    let statement: String

    init(_ result: ResultHandle, statement: String) {
        self.result = result
        self.statement = statement
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { self.result.rowCount }

    public subscript(index: Int) -> PostgresRow {
        precondition(self.indices.contains(index), "row index out of range")
        return PostgresRow(result: self.result, index: index, statement: self.statement)
    }

    /// The rows that the statement inserted, updated, deleted, copied or returned.
    public var affectedRows: Int { self.result.affectedRows }

    /// What the server says was done, such as "INSERT 0 1".
    public var commandTag: String { self.result.commandTag }

    /// The columns' names, in order of first appearance.
    public var columns: [String] { self.result.columns.sorted { $0.value < $1.value }.map(\.key) }

    /// The only row; an error when there is none or more than one.
    public func only() throws(PostgresError) -> PostgresRow {
        guard self.count == 1 else {
            throw PostgresError(.usage, "expected one row, found \(self.count)", statement: self.statement)
        }
        return self[0]
    }

    /// The only row, or nil when there is none; an error when there are several.
    public func atMostOne() throws(PostgresError) -> PostgresRow? {
        self.isEmpty ? nil : try self.only()
    }
}
