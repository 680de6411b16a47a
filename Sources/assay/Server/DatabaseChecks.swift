internal import Console
internal import FoundationEssentials
internal import JobQueue

/// What is looked at in the database's server, beyond that it answers.
enum DatabaseChecks {
    /// How old a transaction may be, in seconds: a backup takes a while.
    private static let patience = 3600.0
    /// Within an open transaction nothing is to be waited for; others wait for its locks.
    private static let idlePatience = 300.0

    static func all(_ facts: DatabaseFacts) -> [Check] {
        [self.durability(facts), self.connections(facts), self.housekeeping(facts)]
            + self.holders(facts) + self.overridden(facts)
    }

    private static func durability(_ facts: DatabaseFacts) -> Check {
        let off = [facts.hasFsync ? nil : "fsync", facts.hasFullPageWrites ? nil : "full_page_writes"]
            .compactMap(\.self).joined(separator: " and ")
        return Check(
            name: "durability", isGood: off.isEmpty,
            finding: off.isEmpty
                ? "PostgreSQL \(facts.version), a commit lasts"
                : "PostgreSQL \(facts.version), \(off) off: a power cut loses commits, or the whole database",
            remedy: off.isEmpty
                ? nil : "turn \(off) on in postgresql.conf (of the embedded server: <home>/postgresql.conf)")
    }

    private static func connections(_ facts: DatabaseFacts) -> Check {
        let isTight = facts.connections * 10 > facts.connectionLimit * 8
        return Check(
            name: "connections", isGood: !isTight,
            finding: "\(facts.connections) of \(facts.connectionLimit) in use; a worker takes 2 to 6",
            remedy: isTight ? "raise max_connections, or put a PgBouncer in transaction mode before the server" : nil)
    }

    private static func housekeeping(_ facts: DatabaseFacts) -> Check {
        var findings: [String] = []
        if !facts.hasAutovacuum { findings.append("autovacuum is off") }
        if !facts.hasStatistics { findings.append("track_counts is off, so autovacuum does nothing") }
        findings += facts.bloated
        return Check(
            name: "vacuum", isGood: findings.isEmpty,
            finding: findings.isEmpty ? "dead rows are cleared away" : findings.joined(separator: "; "),
            remedy: findings.isEmpty
                ? nil
                : "turn autovacuum and track_counts on, see below what holds old rows, and run VACUUM (ANALYZE) once: "
                    + "claims become slower with every dead row")
    }

    /// Each by itself, since each needs something else to be done.
    private static func holders(_ facts: DatabaseFacts) -> [Check] {
        let checks = facts.holders.compactMap(self.check)
        guard checks.isEmpty else { return checks }
        let scope = facts.seesAllSessions ? "" : ", as far as this role may see (GRANT pg_monitor shows it all)"
        return [Check(name: "old snapshots", isGood: true, finding: "nothing holds old rows\(scope)")]
    }

    private static func check(_ holder: DatabaseFacts.Holder) -> Check? {
        let age = "open for \(Format.fixed(holder.seconds / 60, 0)) min, \(holder.transactions) transactions ago"
        switch holder.kind {
        case .session:
            let isIdle = holder.state.hasPrefix("idle in transaction")
            guard holder.seconds > (isIdle ? self.idlePatience : self.patience) else { return nil }
            return Check(
                name: "old snapshots", isGood: false, finding: "\(holder.name): \(holder.state), \(age)",
                remedy: (isIdle
                    ? "end the transaction there, or SELECT pg_terminate_backend(pid); "
                        + "idle_in_transaction_session_timeout keeps others from that"
                    : "a dump or a report? Let it end, or use a standby for it")
                    + "; until then nothing that it could see is cleared away, and claims become slower")
        case .prepared:
            guard holder.seconds > self.idlePatience else { return nil }
            return Check(
                name: "old snapshots", isGood: false, finding: "prepared transaction \(holder.name): \(age)",
                remedy: "COMMIT PREPARED or ROLLBACK PREPARED it: it keeps its locks through restarts, too")
        case .slot:
            return Check(
                name: "replication slot", isGood: false,
                finding:
                    "\(holder.name) (\(holder.state)) keeps rows of \(holder.transactions) transactions, and the WAL",
                remedy: "start what reads from it, or SELECT pg_drop_replication_slot('\(holder.name)')")
        case .standby:
            return Check(
                name: "standby", isGood: false,
                finding: "\(holder.name) keeps rows of \(holder.transactions) transactions (hot_standby_feedback)",
                remedy: "end the long query there, or turn hot_standby_feedback off on it")
        }
    }

    private static func overridden(_ facts: DatabaseFacts) -> [Check] {
        guard !facts.overridden.isEmpty else { return [] }
        return [
            Check(
                name: "session settings", isGood: true,
                finding: "not used, since sessions make their own: \(facts.overridden.joined(separator: ", "))")
        ]
    }
}

extension Checks {
    /// Variables of libpq that are set, and what becomes of them.
    func libpqVariables() -> [Check] {
        let (used, ignored) = EmbeddedDatabase.libpqVariables(self.settings)
        var findings: [String] = []
        if !used.isEmpty {
            findings.append("used where the database's URL is silent: \(used.joined(separator: ", "))")
        }
        if !ignored.isEmpty { findings.append("not used: \(ignored.joined(separator: ", "))") }
        guard !findings.isEmpty else { return [] }
        return [Check(name: "libpq's environment", isGood: true, finding: findings.joined(separator: "; "))]
    }

    /// A zone whose rules change: UTC alone would need no database.
    func timeZones() -> Check {
        do {
            _ = try ZoneRules(named: "Europe/Berlin")
            return Check(name: "time zones", isGood: true, finding: "read from this machine's tz database")
        } catch {
            return Check(
                name: "time zones", isGood: false, finding: error.message,
                remedy: "install tzdata; until then workers here leave schedules in other zones than UTC to others")
        }
    }
}
