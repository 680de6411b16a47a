import SQL

/// What is still to apply to a database, given what it says was applied.
struct MigrationPlan: Sendable {
    let pending: [Migration]
    /// The database was migrated by a newer program, and says that this one works with it.
    let isNewer: Bool

    /// Compares the two histories.
    ///
    /// - Parameter minimum: The version that a program must know to work with the database; nil when it does not say.
    /// - Throws: `schema` when they are not the same as far as both go, or the database's goes too far.
    init(known: [Migration], applied: [AppliedMigration], minimum: Int? = nil) throws(QueueError) {
        for (step, own) in zip(applied, known) {
            guard step.version == own.version, step.name == own.name, step.sha256 == own.sha256 else {
                throw QueueError(
                    .schema,
                    """
                    migration \(step.version) ('\(step.name)', sha256 \(step.sha256.prefix(12))...) of the database \
                    is not this program's migration \(own.version) ('\(own.name)', sha256 \(own.sha256.prefix(12))...): \
                    an applied migration must never change; use the program that applied it, or a new database
                    """)
            }
        }
        pending = Array(known.dropFirst(applied.count))
        isNewer = applied.count > known.count
        let ownVersion = known.last?.version ?? 0
        if isNewer, let last = applied.last, ownVersion < minimum ?? last.version {
            throw QueueError(
                .schema,
                """
                the database's schema has version \(last.version) ('\(last.name)') and works with programs that know \
                version \(minimum ?? last.version), this program knows versions up to \(ownVersion): use a newer program
                """)
        }
    }
}
