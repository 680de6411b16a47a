internal import Console
internal import JobQueue

/// What a command that changes a run or a job answers.
struct WorkChange: Encodable {
    var id: String
    var changed: Int
    var run: RunRecord
    /// Jobs that other engines may finish from now on; nil where nobody asked for that.
    var mixed: Int?

    /// Finds what is meant, changes it, and looks at the run again.
    static func perform(
        _ id: String, _ options: GlobalOptions,
        _ change: (Session, WorkTarget) async throws -> Int
    ) async throws -> WorkChange {
        try await Session.with(options) { session in
            let work = try await session.queue.work(matching: id)
            let changed = try await change(session, work)
            let name =
                switch work {
                case .run(let run): run.text
                case .job(let job): job.name
                }
            return WorkChange(
                id: name, changed: changed, run: try await session.queue.run(matching: work.run.text))
        }
    }

    /// - Parameter sentence: What happened, for people.
    func show(_ options: GlobalOptions, _ sentence: String) throws {
        if options.json { return try Output.json(self) }
        Output.line("\(self.id): \(sentence); the run is \(self.run.state.rawValue)")
    }
}

/// "1 shard", "3 shards".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
