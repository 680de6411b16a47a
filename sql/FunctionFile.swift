/// A file with the current definitions of SQL functions, the only place where they stand.
///
/// Migrations bring tables from one version to the next and are never changed; functions have no history worth keeping,
/// so they are made again after every migration.
public struct FunctionFile: Sendable {
    public let name: String
    public let sql: String

    public static let all: [FunctionFile] = [
        FunctionFile("history", PackageResources.history_sql),
        FunctionFile("tallies", PackageResources.tallies_sql),
        FunctionFile("claims", PackageResources.claims_sql),
        FunctionFile("outcomes", PackageResources.outcomes_sql),
        FunctionFile("engines", PackageResources.engines_sql),
        FunctionFile("leases", PackageResources.leases_sql),
        FunctionFile("gates", PackageResources.gates_sql),
        FunctionFile("operations", PackageResources.operations_sql),
        FunctionFile("charges", PackageResources.charges_sql),
        FunctionFile("archive", PackageResources.archive_sql),
        FunctionFile("chores", PackageResources.chores_sql),
        FunctionFile("stores", PackageResources.stores_sql),
        FunctionFile("rescorings", PackageResources.rescorings_sql),
        FunctionFile("registry", PackageResources.registry_sql),
        FunctionFile("rights", PackageResources.rights_sql),
        FunctionFile("schedules", PackageResources.schedules_sql),
        FunctionFile("submission", PackageResources.submission_sql),
    ]

    private init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        sql = String(decoding: bytes, as: UTF8.self)
    }
}
