public import FoundationEssentials

/// One applied step of the schema, as the database recorded it.
public struct AppliedMigration: Sendable, Hashable, Encodable {
    public var version: Int
    public var name: String
    /// Of the SQL text: 64 lower-case hexadecimal digits.
    public var sha256: String
    public var appliedAt: Date

    public init(version: Int, name: String, sha256: String, appliedAt: Date) {
        self.version = version
        self.name = name
        self.sha256 = sha256
        self.appliedAt = appliedAt
    }
}

/// How far a database's schema is.
public struct SchemaStatus: Sendable, Hashable, Encodable {
    public var applied: [AppliedMigration]
    /// The names of the steps that are still to apply, in order.
    public var pending: [String]

    public init(applied: [AppliedMigration], pending: [String]) {
        self.applied = applied
        self.pending = pending
    }

    public var version: Int { applied.last?.version ?? 0 }
    public var isCurrent: Bool { pending.isEmpty }
}
