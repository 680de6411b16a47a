/// SQL text with a name that errors and the cache of prepared statements use.
///
/// Values never belong in the text: they are sent as parameters ($1, $2, ...).
public struct PostgresStatement: Sendable, Hashable {
    /// What errors call the statement, such as "claim_shards".
    public var name: String
    public var sql: String

    public init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }
}
