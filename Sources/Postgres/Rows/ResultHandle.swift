internal import CPostgres

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
