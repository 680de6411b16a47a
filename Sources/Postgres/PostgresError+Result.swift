internal import CPostgres

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
