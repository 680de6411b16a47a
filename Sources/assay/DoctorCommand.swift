internal import ArgumentParser
internal import Calendar
internal import Console
internal import Evaluation
internal import Foundation
internal import FoundationEssentials
internal import Inference
internal import JobQueue
internal import Llama
internal import Logging
internal import PostgresQueue
internal import ResultStore
internal import UVEventLoop

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check everything that can be wrong, and say what to do about it.",
        discussion: """
            Example:  assay doctor
                      assay doctor --engine --model smollm2

            With --engine it computes made-up requests in many ways on this machine, one by one, together, in other orders, sizes
            of batches and numbers of threads, and compares the bits: what `invariance: strict` promises. It takes about two
            minutes, and needs no database where --model is a file.
            """)

    @Flag(help: "Check that strict results depend on their requests alone, on this machine.")
    var engine = false

    @Option(help: "The model for it: a registered name or a GGUF file; the smallest registered one if not given.")
    var model: String?

    @Option(help: "Threads on the CPU; one per processor if not given.")
    var threads: Int?

    @Flag(help: "With --engine: turn the weights into every type that is known, and check each.")
    var everyWeightType = false

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var settings: [SettingLine]
        var checks: [Check]
    }

    struct SettingLine: Encodable {
        var name: String
        var value: String
        var source: SettingSource
    }

    func validate() throws {
        guard self.engine || (self.model == nil && self.threads == nil && !self.everyWeightType) else {
            throw ValidationError("--model, --threads and --every-weight-type go with --engine")
        }
        guard (1...512).contains(self.threads ?? 1) else { throw ValidationError("--threads is from 1 to 512") }
    }

    func run() async throws {
        if self.engine { return try await self.checkEngine() }
        let (settings, logger) = try self.options.resolve(label: "assay")
        var lines = [
            SettingLine(name: "home", value: settings.home.value, source: settings.home.source),
            SettingLine(name: "store", value: settings.store.value, source: settings.store.source),
            SettingLine(name: "log", value: settings.logLevel.value, source: settings.logLevel.source),
        ]
        // The URL may hold a password.
        lines.append(
            settings.databaseURL.map {
                SettingLine(name: "database_url", value: "(set)", source: $0.source)
            } ?? SettingLine(name: "database_url", value: "(embedded server)", source: .default))
        lines.append(
            SettingLine(
                name: "database_pooler", value: settings.databasePooler.value, source: settings.databasePooler.source))
        let checks = await Checks(settings: settings, logger: logger).all()
        if self.options.json {
            try Output.json(Answer(settings: lines, checks: checks))
        } else {
            let terminal = Terminal.standardOutput(environment: self.options.environment)
            for line in lines { Output.line(Format.field(line.name, "\(line.value)  (\(line.source.rawValue))")) }
            Output.line()
            for check in checks {
                let mark = check.isGood ? terminal.styled("ok  ", .green) : terminal.styled("FAIL", .red)
                Output.line("\(mark)  \(check.name): \(check.finding)")
                if let remedy = check.remedy { Output.line("      \(remedy)") }
            }
        }
        let bad = checks.count { !$0.isGood }
        guard bad == 0 else {
            throw CommandFailure("\(bad) of \(checks.count) checks failed", hint: "what to do stands with each")
        }
    }

    private func checkEngine() async throws {
        let check = EngineCheck(path: try await self.modelPath(), device: .cpu, threads: self.threads)
        let terminal = Terminal.standardOutput(environment: self.options.environment)
        let isJSON = self.options.json
        func show(_ name: String, isPromised: Bool, _ way: EngineCheck.Way) {
            guard !isJSON else { return }
            let mark =
                !isPromised ? "    " : way.isEqual ? terminal.styled("ok  ", .green) : terminal.styled("FAIL", .red)
            let difference =
                way.isEqual
                ? "" : way.largestDifference.map { ", up to \(Format.fixed($0, 6)) nat apart" } ?? ", texts differ"
            Output.line("\(mark)  \(name), \(way.way): \(way.equal) of \(way.compared) of equal bits\(difference)")
        }
        let answers: [EngineCheck.Answer]
        if self.everyWeightType {
            answers = try await check.runEveryType { type, _, way in show(type.rawValue, isPromised: true, way) }
            if isJSON { try Output.json(answers) }
        } else {
            answers = [try await check.run { level, way in show(level, isPromised: level == "strict", way) }]
            if isJSON { try Output.json(answers[0]) }
        }
        for answer in answers where answer.levels.first?.isEqual != true {
            throw CommandFailure(
                "on this machine (\(answer.deviceKind), \(answer.engineBuild)) strict results of \(answer.model)"
                    + "\(answer.weights.map { " with \($0) weights" } ?? "") depend on what else is computed",
                hint: "use `invariance: plan` here, and report this: it is a fault of Assay")
        }
        guard !isJSON, let answer = answers.first else { return }
        Output.line()
        Output.line(
            "\(answer.model) on \(answer.deviceKind): strict results depend on their requests alone."
                + (self.everyWeightType ? "" : " What plan gives is shown for comparison."))
        if self.model == nil {
            Output.line("This is the smallest model that is registered; others are checked with --model NAME.")
        }
    }

    private func modelPath() async throws -> String {
        if let model = self.model, model.contains("/") || model.hasSuffix(".gguf") { return model }
        let models = try await Session.with(self.options) { session in try await session.queue.models() }
        if let name = self.model {
            guard let model = models.first(where: { $0.name == name }) else {
                throw CommandFailure(
                    "no model is registered as '\(name)'",
                    hint: "`assay model list` shows them; a file is named by its path")
            }
            return model.path
        }
        guard let smallest = models.min(by: { $0.bytes < $1.bytes }) else {
            throw CommandFailure(
                "no model is registered", hint: "name a GGUF file: assay doctor --engine --model PATH")
        }
        return smallest.path
    }
}

/// One thing that was looked at.
struct Check: Encodable {
    var name: String
    var isGood: Bool
    /// What was found.
    var finding: String
    /// What to do; `nil` when nothing is wrong.
    var remedy: String?
}

/// What `assay doctor` looks at.
struct Checks {
    let settings: Settings
    let logger: Logger

    func all() async -> [Check] {
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
                    + models.map(self.model)
                    + [
                        Check(name: "workers", isGood: true, finding: "\(workers.count) live"),
                        Self.chores(try await session.queue.chores(), hasWorkers: !workers.isEmpty),
                    ]
            }
        } catch let failure as CommandFailure {
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

    private func model(_ model: ModelRecord) -> Check {
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
                remedy: "put the file back, or register it anew: assay model add \(model.name) FILE --replace")
        case let other?:
            return Check(
                name: "model \(model.name)", isGood: false,
                finding: "\(model.path) has \(other) bytes, not \(model.bytes)",
                remedy: "put the right file back, or register this one under a new name")
        }
    }

    /// Whether what any process does now and then is done: dead workers, gates, device time and the like.
    private static func chores(_ chores: [ChoreRecord], hasWorkers: Bool) -> Check {
        if let failed = chores.first(where: { $0.failedAt != nil }) {
            return Check(
                name: "chores", isGood: false,
                finding: "'\(failed.chore.rawValue)' fails: \(failed.error ?? "no reason was recorded")",
                remedy: "claims and commits go on; report it, with the log of a worker")
        }
        // Workers look every few seconds; a chore may wait for one that takes long.
        let late = chores.first { record in
            let limit = max(120, 10 * Double(record.interval.components.seconds))
            return record.succeededAt.map { Date.now.timeIntervalSince($0) > limit } ?? true
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
                name: "time zones", isGood: false, finding: error.description,
                remedy: "install tzdata; until then workers here leave schedules in other zones than UTC to others")
        }
    }
}

/// Whether strict results hold what they promise on this machine, as `assay doctor --engine` finds out.
struct EngineCheck {
    struct Answer: Encodable {
        var model: String
        /// What the weights were turned into for the check; `nil` for those of the file.
        var weights: String?
        var engineBuild: String
        var deviceKind: String
        var settings: [String: String]
        /// "strict", and "plan" beside it, for comparison.
        var levels: [Level]
    }

    struct Level: Encodable {
        var invariance: String
        var ways: [Way]

        var isEqual: Bool { self.ways.allSatisfy(\.isEqual) }
    }

    struct Way: Encodable {
        var way: String
        var compared: Int
        var equal: Int
        /// In nat; `nil` where texts differ.
        var largestDifference: Double?

        var isEqual: Bool { self.compared == self.equal && self.largestDifference == 0 }

        init(_ finding: InvarianceCheck.Finding) {
            self.way = finding.way
            self.compared = finding.compared
            self.equal = finding.equal
            self.largestDifference = finding.largestDifference.isFinite ? Double(finding.largestDifference) : nil
        }
    }

    /// All of it together takes about so long; a large model takes what it takes.
    static let duration: Duration = .seconds(100)

    let path: String
    let device: DeviceChoice
    let threads: Int?

    /// The model of the file, and beside strict what plan gives.
    func run(report: @escaping (_ level: String, Way) -> Void) async throws -> Answer {
        try await self.run(self.path, weights: nil, duration: Self.duration, report: report)
    }

    /// The model with weights of every type, one after the other, from a file that is gone afterwards.
    func runEveryType(
        report: @escaping (_ type: WeightType, _ level: String, Way) -> Void
    ) async throws -> [Answer] {
        let types = WeightType.allCases
        let folder = FileManager.default.temporaryDirectory.appending(path: "assay-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let source = try GGUFFile(path: self.path)
        var answers: [Answer] = []
        for type in types {
            let path = "\(folder)/\(type.rawValue).gguf"
            try source.write(
                to: path, as: type, threads: self.threads ?? ProcessInfo.processInfo.activeProcessorCount)
            answers.append(
                try await self.run(path, weights: type, duration: Self.duration / types.count) { report(type, $0, $1) })
            try FileManager.default.removeItem(atPath: path)
        }
        return answers
    }

    /// - Parameter report: Is told of each way as it has been computed.
    private func run(
        _ path: String, weights: WeightType?, duration: Duration, report: @escaping (_ level: String, Way) -> Void
    ) async throws(EngineError) -> Answer {
        var settings = EngineSettings(threads: self.threads, device: self.device, invariance: .strict)
        let engine = try await LlamaEngine.load(modelPath: path, modelSHA256: "", settings: settings)
        var answer = Answer(
            model: engine.identity.modelName, weights: weights?.rawValue, engineBuild: engine.identity.engineBuild,
            deviceKind: engine.identity.deviceKind, settings: engine.identity.settings, levels: [])
        guard engine.identity.settings["invariance"] == "strict" else { return answer }
        let check = try await InvarianceCheck.lasting(duration * 3 / 4, engine, settings)
        let strict = try await check.run { report("strict", Way($0)) }
        answer.levels.append(Level(invariance: "strict", ways: strict.map(Way.init)))
        guard weights == nil else { return answer }
        settings.invariance = .plan
        let packed = try await engine.reconfigured(settings)
        let plan = try await InvarianceCheck.lasting(duration / 4, packed, settings).run {
            report("plan", Way($0))
        }
        answer.levels.append(Level(invariance: "plan", ways: plan.map(Way.init)))
        return answer
    }
}
