/// One numbered step of the schema: what brings a database of the version before to this one.
///
/// A new database takes none of them: it is made as it is now, from ``TableFile``, and remembers them all as if it had.
public struct Migration: Sendable {
    public let version: Int
    public let name: String
    public let sql: String
    /// What is still to do once the functions are made, such as triggers that name them.
    public let afterFunctions: String?

    /// All steps in order, from 1.
    public static let all: [Migration] = [
        Migration(1, "tables", PackageResources.V001_tables_sql),
        Migration(2, "claim", PackageResources.V002_claim_sql),
        Migration(3, "outcome", PackageResources.V003_outcome_sql),
        Migration(4, "lease", PackageResources.V004_lease_sql),
        Migration(5, "gates", PackageResources.V005_gates_sql),
        Migration(6, "tallies", PackageResources.V006_tallies_sql),
        Migration(7, "claim", PackageResources.V007_claim_sql),
        Migration(8, "outcome", PackageResources.V008_outcome_sql),
        Migration(9, "operations", PackageResources.V009_operations_sql),
        Migration(10, "maintenance", PackageResources.V010_maintenance_sql),
        Migration(11, "archive", PackageResources.V011_archive_sql),
        Migration(12, "schedules", PackageResources.V012_schedules_sql),
        Migration(13, "data_sets", PackageResources.V013_data_sets_sql),
        Migration(14, "chores", PackageResources.V014_chores_sql),
        Migration(15, "store_identity", PackageResources.V015_store_identity_sql),
        Migration(16, "roles", PackageResources.V016_roles_sql),
        Migration(17, "reading", PackageResources.V017_reading_sql),
        Migration(18, "job_counts", PackageResources.V018_job_counts_sql),
        Migration(19, "departures", PackageResources.V019_departures_sql),
        Migration(20, "turns", PackageResources.V020_turns_sql),
        Migration(21, "usage", PackageResources.V021_usage_sql),
        Migration(22, "engines", PackageResources.V022_engines_sql, PackageResources.V022_triggers_sql),
    ]

    public init(version: Int, name: String, sql: String, afterFunctions: String? = nil) {
        self.version = version
        self.name = name
        self.sql = sql
        self.afterFunctions = afterFunctions
    }

    private init(_ version: Int, _ name: String, _ bytes: [UInt8], _ afterFunctions: [UInt8]? = nil) {
        self.init(
            version: version, name: name, sql: String(decoding: bytes, as: UTF8.self),
            afterFunctions: afterFunctions.map { String(decoding: $0, as: UTF8.self) })
    }
}

/// A file of what a new database is made of: the tables as they are after the last ``Migration``.
public struct TableFile: Sendable {
    public let name: String
    public let sql: String

    /// In the order in which they are made, before the functions.
    public static let all: [TableFile] = [
        TableFile("work", PackageResources.work_sql),
        TableFile("archive", PackageResources.archive_sql),
        TableFile("upkeep", PackageResources.upkeep_sql),
        TableFile("names", PackageResources.names_sql),
    ]

    /// Made after the functions, which it names.
    public static let triggers = TableFile("triggers", PackageResources.triggers_sql)

    private init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        sql = String(decoding: bytes, as: UTF8.self)
    }
}
