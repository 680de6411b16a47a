/// What may stand between a client and its server process.
public enum PostgresPooler: String, Sendable, Hashable, CaseIterable {
    /// Found out on each connection: a pooler does not pass on the number of the server process, which the server knows.
    case automatic = "auto"
    /// No pooler, or one in session mode: a connection keeps its server process.
    case session
    /// A pooler in transaction mode, such as PgBouncer's: the next statement may run in another server process.
    case transaction
}

extension PostgresError {
    /// Statements get lost, or meet others of their name, when a pooler swaps the server process unnoticed.
    func suspectingPooler() -> PostgresError {
        guard self.sqlState == "26000" || self.sqlState == "42P05" else { return self }
        var error = self
        error.hint =
            "if a pooler in transaction mode (PgBouncer) stands before the server, say so: "
            + "ASSAY_DATABASE_POOLER=transaction"
        return error
    }
}
