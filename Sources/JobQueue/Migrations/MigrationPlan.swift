import SQL

/// What is still to apply to a database, given what it says was applied.
struct MigrationPlan: Sendable {
    let pending: [Migration]

    /// Compares the two histories.
    ///
    /// - Throws: `schema` when they are not the same as far as both go, or the database's goes further.
    init(known: [Migration], applied: [AppliedMigration]) throws(QueueError) {
        for (place, step) in applied.enumerated() {
            guard place < known.count else {
                throw QueueError(
                    .schema,
                    """
                    the database's schema has version \(applied.count) ('\(applied[applied.count - 1].name)'), this \
                    program knows versions up to \(known.count): use a newer program
                    """)
            }
            let own = known[place]
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
    }
}
