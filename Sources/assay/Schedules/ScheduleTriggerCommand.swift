internal import ArgumentParser
internal import Console
internal import JobQueue
internal import Planning

struct ScheduleTriggerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trigger",
        abstract: "Fire a schedule now, paused or not.",
        discussion: """
            While a run of it is open, the overlap policy decides; exits with 1 when nothing was submitted.
            Example:  assay schedule trigger nightly --overlap allow_all
            """)

    @Argument(help: "The schedule's name.")
    var name: String

    @Option(help: "skip, buffer_one, allow_all or cancel_other, instead of what the schedule does.")
    var overlap: String?

    @OptionGroup var options: GlobalOptions

    func run() async throws {
        let policy = try self.overlap.map { name throws(QueueError) in try OverlapPolicy(name: name) }
        let fire = try await Session.with(self.options) { session in
            try await ScheduleFirer(queue: session.queue).trigger(self.name, overlap: policy)
        }
        if self.options.json { try Output.json(fire) }
        switch fire.outcome {
        case .fired: if !self.options.json { Output.line("\(fire.run?.text ?? "")  \(fire.schedule)") }
        case .waiting: if !self.options.json { Output.line("\(fire.schedule) \(fire.reason ?? "waits")") }
        case .skipped:
            throw CommandFailure(
                "\(fire.schedule) was not fired: \(fire.reason ?? "")",
                hint: "submit it all the same with --overlap allow_all"
            )
        case .failed: throw CommandFailure("\(fire.schedule) was not fired: \(fire.reason ?? "")")
        }
    }
}
