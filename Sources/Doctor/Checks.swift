public import AssayRuntime
internal import Calendar
internal import Foundation
internal import JobQueue
internal import Llama
public import Logging
internal import PostgresQueue
internal import ResultStore
internal import TerminalText

/// One thing that was looked at.
public struct Check: Sendable, Encodable {
    public var name: String
    public var isGood: Bool
    /// What was found.
    public var finding: String
    /// What to do; `nil` when nothing is wrong.
    public var remedy: String?
}

/// Everything that a user can have wrong.
public struct Checks {
    let settings: Settings
    let logger: Logger

    public init(settings: Settings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    public func all() async -> [Check] {
        var checks: [Check] = []
        checks += await self.database()
        checks += self.libpqVariables()
        checks.append(self.timeZones())
        checks.append(await self.store())
        checks += self.devices()
        checks.append(self.program("assay-worker"))
        checks.append(self.program("assay-report"))
        return checks
    }

    private func database() async -> [Check] {
        do {
            return try await Session.with(self.settings, logger: self.logger) { session in
                let models = try await session.queue.models()
                let workers = try await session.queue.workers().filter { $0.state == .live }
                return [Check(name: "database", isGood: true, finding: "reached, schema is current")]
                    + DatabaseChecks.all(try await session.queue.databaseFacts())
                    + Check.role(try await session.queue.rights())
                    + models.map(Check.model)
                    + [
                        Check(name: "workers", isGood: true, finding: "\(workers.count) live"),
                        Check.chores(try await session.queue.chores(), hasWorkers: !workers.isEmpty),
                    ]
            }
        } catch let failure as UserError {
            return [Check(name: "database", isGood: false, finding: failure.message, remedy: failure.hint)]
        } catch {
            let finding = "\(error)"
            // An error of the database says by itself what to do.
            return [
                Check(
                    name: "database", isGood: false, finding: finding,
                    remedy: finding.contains("hint:") ? nil : "start it with `assay up`")
            ]
        }
    }

    private func store() async -> Check {
        do {
            let store = try await self.openStore()
            let unwritable = try await store.unwritableFolders()
            guard let first = unwritable.first else {
                return Check(
                    name: "store", isGood: true, finding: "\(store.root) can be written and is this database's")
            }
            return Check(
                name: "store", isGood: false,
                finding:
                    "\(Format.counted(unwritable.count, "folder")) of other users can't be written, \(first) for one",
                remedy: "have their owners give the group what it needs: chmod -R g+rwX \(store.root)")
        } catch {
            // What to do stands in the sentence: it depends on what is wrong.
            return Check(name: "store", isGood: false, finding: error.description)
        }
    }

    /// The store, tied to the database where that answers.
    private func openStore() async throws(StoreError) -> Store {
        let answer: Result<Store, StoreError>?
        do {
            answer = try await Session.with(self.settings, logger: self.logger) { session in
                do throws(StoreError) {
                    return .success(try await session.existingStore())
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            // Said elsewhere.
            answer = nil
        }
        guard let answer else { return try await Store(root: self.settings.store.value) }
        return try answer.get()
    }

    private func devices() -> [Check] {
        LlamaDevice.all().map { device in
            Check(
                name: "device \(device.name)", isGood: true,
                finding: "\(device.description), \(Format.bytes(Int64(device.freeMemory))) free of "
                    + Format.bytes(Int64(device.totalMemory)))
        }
    }

    private func program(_ name: String) -> Check {
        let path = Programs.path(of: name)
        let isThere = Programs.isInstalled(name)
        return Check(
            name: name, isGood: isThere, finding: isThere ? path : "\(path) is not there",
            remedy: isThere ? nil : "build it: swift build")
    }
}

extension Check {
    /// Whether a registered model's file is the one that was registered, as far as its size and its tokenizer tell.
    static func model(_ model: ModelRecord) -> Check {
        switch model.bytesOnDisk {
        case model.bytes:
            if let doubt = try? GGUFFile(path: model.path).tokenizer.doubt {
                return Check(
                    name: "model \(model.name)", isGood: false, finding: "\(model.path): \(doubt)",
                    remedy: "register the new file under another name; reports of this one carry a remark")
            }
            return Check(name: "model \(model.name)", isGood: true, finding: "\(model.path), \(model.bytes) bytes")
        case nil:
            return Check(
                name: "model \(model.name)", isGood: false, finding: "\(model.path) is not there",
                remedy: "put the file back, or register it again: assay model add \(model.name) FILE --replace")
        case let other?:
            return Check(
                name: "model \(model.name)", isGood: false,
                finding: "\(model.path) has \(other) bytes, not \(model.bytes)",
                remedy: "put the right file back, or register this one under a new name")
        }
    }

    /// Whether what any process does now and then is done: dead workers, gates, device time and the like.
    static func chores(_ chores: [ChoreRecord], hasWorkers: Bool, now: Date = .now) -> Check {
        if let failed = chores.first(where: { $0.failedAt != nil }) {
            return Check(
                name: "chores", isGood: false,
                finding: "'\(failed.chore.rawValue)' fails: \(failed.error ?? "no reason was recorded")",
                remedy: "claims and commits go on; report it, with the log of a worker")
        }
        // Workers look every few seconds; a chore may wait for one that takes long.
        let late = chores.first { record in
            let limit = max(120, 10 * Double(record.interval.components.seconds))
            return record.succeededAt.map { now.timeIntervalSince($0) > limit } ?? true
        }
        if hasWorkers, let late {
            return Check(
                name: "chores", isGood: false,
                finding: "'\(late.chore.rawValue)' was not done lately, although workers are alive",
                remedy: "see whether a transaction that somebody left open holds its row (`old snapshots` above)")
        }
        return Check(
            name: "chores", isGood: true, finding: hasWorkers ? "all done lately" : "done once a worker is there")
    }

    /// What the role that is connected may do, a line for each ability; a missing one is no fault.
    static func role(_ rights: RoleRights) -> [Check] {
        let abilities: [(Ability, String)] = [
            (.reader, "see runs, results and workers"), (.submitter, "submit, and change its own runs"),
            (.worker, "claim and compute"), (.operator, "change others' runs, projects and workers"),
        ]
        var lines = abilities.map { ability, deeds in
            let may = rights.abilities.contains(ability)
            let how = "granted with `assay migrate --grant \(rights.role)=\(ability.rawValue)`"
            return Check(
                name: "role \(rights.role)", isGood: true,
                finding: may ? "\(ability.rawValue): may \(deeds)" : "not \(ability.rawValue): can't \(deeds); \(how)")
        }
        lines.append(
            Check(
                name: "role \(rights.role)", isGood: true,
                finding: rights.isOwner
                    ? "owner: may migrate the schema and grant abilities"
                    : "not owner: can't migrate the schema or grant abilities"))
        return lines
    }
}

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
    /// The variables of libpq that are set: which ones are used, and which are not.
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
                name: "time zones", isGood: false, finding: error.description,
                remedy: "install tzdata; until then workers here leave schedules in other zones than UTC to others")
        }
    }
}
