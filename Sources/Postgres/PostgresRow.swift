internal import CPostgres

/// One row of a result.
///
/// Reading is inlined where it is used: a row has many columns, a result many rows, and for each of them an Optional's
/// metadata would be looked up.
public struct PostgresRow: Sendable {
    let result: ResultHandle
    let index: Int
    let statement: String

    /// The column's value; NULL is an error.
    @inlinable
    public func decode<Value: PostgresDecodable>(
        _ column: String, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let cell = try self.cell(at: self.position(of: column)) else {
            throw self.error("column \"\(column)\" is NULL, expected \(Value.self); read it as \(Value.self)? instead")
        }
        return try self.value(of: cell)
    }

    /// The column's value, or nil for NULL.
    @inlinable
    public func decode<Value: PostgresDecodable>(
        _ column: String, as type: Value?.Type = Value?.self
    ) throws(PostgresError) -> Value? {
        guard let cell = try self.cell(at: self.position(of: column)) else { return nil }
        return try self.value(of: cell)
    }

    /// The value of the column at a position from 0; NULL is an error.
    @inlinable
    public func decode<Value: PostgresDecodable>(
        at position: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let cell = try self.cell(at: position) else {
            throw self.error("column \(position) is NULL, expected \(Value.self)")
        }
        return try self.value(of: cell)
    }

    /// The value of the column at a position from 0, or nil for NULL.
    @inlinable
    public func decode<Value: PostgresDecodable>(
        at position: Int, as type: Value?.Type = Value?.self
    ) throws(PostgresError) -> Value? {
        guard let cell = try self.cell(at: position) else { return nil }
        return try self.value(of: cell)
    }

    /// A value that is not NULL, in the server's text form; lives as long as the row.
    @usableFromInline
    struct Cell {
        @usableFromInline let text: UnsafeRawBufferPointer
        @usableFromInline let type: UInt32
        @usableFromInline let position: Int

        @usableFromInline
        init(text: UnsafeRawBufferPointer, type: UInt32, position: Int) {
            self.text = text
            self.type = type
            self.position = position
        }
    }

    @inlinable
    func value<Value: PostgresDecodable>(of cell: Cell) throws(PostgresError) -> Value {
        let value = withExtendedLifetime(self) {
            cell.text.withMemoryRebound(to: UInt8.self) { bytes in
                Value(postgresText: Span(_unsafeElements: bytes), type: cell.type)
            }
        }
        guard let value else { throw self.mismatch(of: cell, "\(Value.self)") }
        return value
    }

    @usableFromInline
    func position(of column: String) throws(PostgresError) -> Int {
        guard let position = self.result.columns[column] else {
            let known = self.result.columns.sorted { $0.value < $1.value }.map(\.key).joined(separator: ", ")
            throw PostgresError(
                .usage, "no column \"\(column)\" in the result; it has: \(known)", statement: self.statement)
        }
        return position
    }

    @usableFromInline
    func cell(at position: Int) throws(PostgresError) -> Cell? {
        let pointer = self.result.pointer
        guard position >= 0, position < Int(PQnfields(pointer)) else {
            throw PostgresError(
                .usage, "no column at position \(position); the result has \(PQnfields(pointer))",
                statement: self.statement)
        }
        let (row, column) = (CInt(self.index), CInt(position))
        guard PQgetisnull(pointer, row, column) == 0, let start = PQgetvalue(pointer, row, column) else { return nil }
        return Cell(
            text: UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(pointer, row, column))),
            type: UInt32(PQftype(pointer, column)), position: position)
    }

    @usableFromInline
    func error(_ message: String) -> PostgresError {
        PostgresError(.decoding, message, statement: self.statement)
    }

    @usableFromInline
    func mismatch(of cell: Cell, _ type: String) -> PostgresError {
        let name = PQfname(self.result.pointer, CInt(cell.position)).map { String(cString: $0) } ?? "\(cell.position)"
        return self.error(
            "column \"\(name)\" of \(PostgresType.name(cell.type)) can't be read as \(type); "
                + "its value begins with \"\(String(decoding: cell.text.prefix(40), as: UTF8.self))\"")
    }
}

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

/// Owns a result of libpq.
///
/// Safety: a PGresult is not changed after PQgetResult has returned it, and libpq's accessors only read
/// (libpq, "Behavior in Threaded Programs").
final class ResultHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    /// The first column of each name.
    let columns: [String: Int]

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
        var columns: [String: Int] = [:]
        for index in 0..<Int(PQnfields(pointer)) {
            guard let name = PQfname(pointer, CInt(index)) else { continue }
            columns[String(cString: name), default: index] = columns[String(cString: name)] ?? index
        }
        self.columns = columns
    }

    deinit { PQclear(self.pointer) }

    var status: ExecStatusType { PQresultStatus(self.pointer) }

    var rowCount: Int { Int(PQntuples(self.pointer)) }

    /// The command's tag, such as "INSERT 0 1" or "ROLLBACK".
    var commandTag: String { PQcmdStatus(self.pointer).map { String(cString: $0) } ?? "" }

    /// The number of rows that the command touched; 0 for commands that touch none.
    var affectedRows: Int { PQcmdTuples(self.pointer).flatMap { Int(String(cString: $0)) } ?? 0 }

    func field(_ code: CInt) -> String? { PQresultErrorField(self.pointer, code).map { String(cString: $0) } }
}
