internal import CPostgres

/// Why the database did not do what it was asked for.
public struct PostgresError: Error, Hashable, Sendable {
    /// The kind of failure.
    public enum Code: String, Hashable, Sendable {
        /// No connection could be made.
        case connectionFailed
        /// The connection broke, or was closed; what ran in it outside a transaction may or may not have happened.
        case connectionLost
        /// The connection broke while COMMIT was under way: the transaction may or may not have been committed.
        case commitUnknown
        /// A statement in the transaction had failed and its error was swallowed, so it was rolled back.
        case transactionAborted
        case timedOut
        /// The task was cancelled; the statement was too, unless it had just finished.
        case cancelled
        /// The server refused the statement; see ``PostgresError/sqlState``.
        case server
        /// A value has another type or range than was asked for, or is NULL.
        case decoding
        /// The call itself is wrong: a bad connection string, an unknown column, a NUL in text.
        case usage
        /// The pool or the event loop has been shut down.
        case shutDown
        /// The embedded server could not be set up, started or stopped.
        case embeddedServer
    }

    public var code: Code
    public var message: String
    /// The server's five-character error code, such as "23505".
    public var sqlState: String?
    public var detail: String?
    public var hint: String?
    public var constraint: String?
    /// The name of the statement that failed.
    public var statement: String?
    /// Where in the SQL text the server found the error, such as "line 3, column 12".
    public var position: String?

    public init(
        _ code: Code, _ message: String, sqlState: String? = nil, detail: String? = nil, hint: String? = nil,
        constraint: String? = nil, statement: String? = nil, position: String? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.detail = detail
        self.hint = hint
        self.constraint = constraint
        self.statement = statement
        self.position = position
    }
}

extension PostgresError {
    /// Two transactions got in each other's way (40001, 40P01): the whole transaction can be tried again.
    public var isSerializationFailure: Bool { self.sqlState == "40001" || self.sqlState == "40P01" }

    /// A row with the same key exists (23505).
    public var isUniqueViolation: Bool { self.sqlState == "23505" }

    /// The connection, not the statement, is at fault: a new connection may work.
    public var isConnectionFailure: Bool {
        switch self.code {
        case .connectionFailed, .connectionLost: true
        default: self.sqlState.map { $0.hasPrefix("08") || ["57P01", "57P02", "57P03"].contains($0) } ?? false
        }
    }

    func naming(_ statement: String) -> PostgresError {
        var named = self
        named.statement = self.statement ?? statement
        return named
    }
}

extension PostgresError: CustomStringConvertible {
    public var description: String {
        var text = self.statement.map { "statement \"\($0)\": " } ?? ""
        text += self.message
        if let position = self.position { text += " (\(position))" }
        if let sqlState = self.sqlState { text += " [SQLSTATE \(sqlState)]" }
        if let detail = self.detail { text += "\n  detail: \(detail)" }
        if let constraint = self.constraint { text += "\n  constraint: \(constraint)" }
        if let hint = self.hint { text += "\n  hint: \(hint)" }
        return text
    }
}

extension PostgresError {
    /// The server's error in a result; `sql` is the text that the error's position refers to.
    init(_ result: ResultHandle, statement: String, sql: String) {
        let fallback = PQresultErrorMessage(result.pointer).map { String(cString: $0) } ?? "unknown error"
        self.init(
            .server, result.field(cpostgres_diag_message) ?? fallback.trimmedLines,
            sqlState: result.field(cpostgres_diag_sqlstate), detail: result.field(cpostgres_diag_detail),
            hint: result.field(cpostgres_diag_hint), constraint: result.field(cpostgres_diag_constraint),
            statement: statement)
        if let position = result.field(cpostgres_diag_position).flatMap({ Int($0) }) {
            self.position = sql.place(ofCharacter: position)
        }
        if let context = result.field(cpostgres_diag_context) {
            self.detail = [self.detail, "in \(context)"].compactMap { $0 }.joined(separator: "\n  ")
        }
    }
}

extension String {
    /// Where the nth code point (from 1) stands, such as "line 3, column 12".
    func place(ofCharacter number: Int) -> String {
        var (line, column) = (1, 1)
        for scalar in self.unicodeScalars.prefix(max(0, number - 1)) {
            if scalar == "\n" {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return "line \(line), column \(column)"
    }

    /// Without the line feed that libpq ends its messages with.
    var trimmedLines: String {
        var text = self[...]
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }
}
