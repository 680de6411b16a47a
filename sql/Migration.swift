/// One numbered step of the schema.
public struct Migration: Sendable {
    public let version: Int
    public let name: String
    public let sql: String

    /// All steps in order, from 1.
    public static let all: [Migration] = [
        Migration(1, "tables", PackageResources.V001_tables_sql),
        Migration(2, "claim", PackageResources.V002_claim_sql),
        Migration(3, "outcome", PackageResources.V003_outcome_sql),
        Migration(4, "lease", PackageResources.V004_lease_sql),
        Migration(12, "schedules", PackageResources.V012_schedules_sql),
    ]

    public init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }

    private init(_ version: Int, _ name: String, _ bytes: [UInt8]) {
        self.init(version: version, name: name, sql: String(decoding: bytes, as: UTF8.self))
    }
}
