internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import FoundationEssentials
internal import JobQueue
internal import PostgresQueue
internal import TerminalText

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Look at workers and send them home.",
        subcommands: [WorkerListCommand.self, WorkerDrainCommand.self], defaultSubcommand: WorkerListCommand.self)
}

struct WorkerListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the workers that are alive, and those that left today because something was wrong.",
        discussion: """
            The newest first; below the table, what a worker waits for, or why it left.
            Example:  assay worker list --all
            """)

    @Flag(help: "All that ended within the last day.")
    var all = false

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let (workers, models) = try await Session.with(self.options) { session in
            let workers = try await session.queue.workers().filter {
                self.all || $0.state == .live || $0.note != nil
            }
            return (workers, try await session.queue.models())
        }
        if self.options.json { return try Output.json(workers) }
        guard !workers.isEmpty else {
            return Output.note("no workers\(self.all ? "" : " are alive"); start one with `assay-worker`")
        }
        let names = Dictionary(models.map { ($0.sha256, $0.name) }, uniquingKeysWith: { first, _ in first })
        var table = Table(
            "worker", "host", ">pid", "device", ">memory", "labels", "state", ">holds", "warm model", ">seen")
        for worker in workers {
            let labels = WorkerLabel.shown(worker.labels)
            table.add(
                "\(worker.id)", worker.host, "\(worker.pid)", worker.device,
                worker.gpuMegabytes > 0 ? Format.bytes(Int64(worker.gpuMegabytes) << 20) : "-",
                labels.isEmpty ? "-" : labels.joined(separator: ","), worker.shownState,
                "\(worker.holding)",
                worker.warmModels.isEmpty
                    ? "-" : worker.warmModels.map { names[$0] ?? String($0.prefix(12)) }.joined(separator: ","),
                Self.ago(worker.seenAt))
        }
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
        for worker in workers {
            guard let note = worker.note else { continue }
            Output.line("worker \(worker.id): \(note)")
        }
    }

    /// How long ago, by the clock of this machine: "12 s ago".
    private static func ago(_ date: Date) -> String {
        let seconds = Int(max(0, Date.now.timeIntervalSince(date)))
        switch seconds {
        case ..<120: return "\(seconds) s ago"
        case ..<7_200: return "\(seconds / 60) min ago"
        default: return "\(seconds / 3_600) h ago"
        }
    }
}

extension WorkerRecord {
    /// The state in a word.
    fileprivate var shownState: String {
        guard self.state == .live else { return self.state.rawValue }
        if self.isDraining { return "draining" }
        return self.holding > 0 ? "busy" : "idle"
    }
}

struct WorkerDrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Ask workers to finish the shard in hand and to leave.",
        discussion: """
            A worker hears of it at its next heartbeat, within ten seconds by default.
            Example:  assay worker drain 17, or assay worker drain --all
            """)

    @Argument(help: "Workers, by their number in `assay worker list`.")
    var ids: [Int64] = []

    @Flag(help: "All that are alive.")
    var all = false

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard self.all != !self.ids.isEmpty else {
            throw ValidationError("name the workers to drain by number, or give --all")
        }
    }

    func run() async throws {
        let drained = try await Session.with(self.options) { session in
            let live = try await session.queue.workers().filter { $0.state == .live }
            let asked = self.all ? live.map(\.id) : self.ids.map(WorkerID.init)
            // All of them are looked up first: a typing error drains nobody.
            if let stray = asked.first(where: { id in !live.contains { $0.id == id } }) {
                throw UserError(
                    "there is no living worker \(stray)", hint: "`assay worker list` shows those that are alive")
            }
            for id in asked {
                do throws(QueueError) {
                    try await session.queue.drain(id)
                } catch {
                    // It may have left by itself a moment ago.
                    guard error.code == .notFound else { throw error }
                }
            }
            return live.filter { asked.contains($0.id) }
        }
        if self.options.json { return try Output.json(drained) }
        guard !drained.isEmpty else { return Output.note("no workers are alive") }
        for worker in drained {
            Output.line("worker \(worker.id) on \(worker.host) (\(worker.device)) finishes what it holds and leaves")
        }
    }
}
