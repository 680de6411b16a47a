internal import CPostgres

/// One row of a result.
public struct PostgresRow: Sendable {
    let result: ResultHandle
    let index: Int
    let statement: String

    /// The column's value; NULL is an error.
    public func decode<Value: PostgresDecodable>(
        _ column: String, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let value = try self.decode(column, as: Value?.self) else {
            throw self.error("column \"\(column)\" is NULL, expected \(Value.self); read it as \(Value.self)? instead")
        }
        return value
    }

    /// The column's value, or nil for NULL.
    public func decode<Value: PostgresDecodable>(
        _ column: String, as type: Value?.Type = Value?.self
    ) throws(PostgresError) -> Value? {
        guard let position = self.result.columns[column] else {
            let known = self.result.columns.sorted { $0.value < $1.value }.map(\.key).joined(separator: ", ")
            throw PostgresError(
                .usage, "no column \"\(column)\" in the result; it has: \(known)", statement: self.statement)
        }
        return try self.decode(at: position, as: type)
    }

    /// The value of the column at a position from 0; NULL is an error.
    public func decode<Value: PostgresDecodable>(
        at position: Int, as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let value = try self.decode(at: position, as: Value?.self) else {
            throw self.error("column \(position) is NULL, expected \(Value.self)")
        }
        return value
    }

    /// The value of the column at a position from 0, or nil for NULL.
    public func decode<Value: PostgresDecodable>(
        at position: Int, as type: Value?.Type = Value?.self
    ) throws(PostgresError) -> Value? {
        let pointer = self.result.pointer
        guard position >= 0, position < Int(PQnfields(pointer)) else {
            throw PostgresError(
                .usage, "no column at position \(position); the result has \(PQnfields(pointer))",
                statement: self.statement)
        }
        let (row, column) = (CInt(self.index), CInt(position))
        guard PQgetisnull(pointer, row, column) == 0, let start = PQgetvalue(pointer, row, column) else { return nil }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(pointer, row, column)))
        let typeID = UInt32(PQftype(pointer, column))
        let decoded = bytes.withMemoryRebound(to: UInt8.self) { bytes in
            Value(postgresText: Span(_unsafeElements: bytes), type: typeID)
        }
        guard let value = decoded else {
            let name = PQfname(pointer, column).map { String(cString: $0) } ?? "\(position)"
            throw self.error(
                "column \"\(name)\" of \(PostgresType.name(typeID)) can't be read as \(Value.self); "
                    + "its value begins with \"\(String(decoding: bytes.prefix(40), as: UTF8.self))\"")
        }
        return value
    }

    private func error(_ message: String) -> PostgresError {
        PostgresError(.decoding, message, statement: self.statement)
    }
}
