internal import ArgumentParser
internal import Console
internal import JobQueue

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
                throw CommandFailure(
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
