internal import ArgumentParser
internal import Console
internal import JobQueue
internal import Reporting
internal import ResultStore

struct ResultsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove the results of a run that is over, rows and files.",
        discussion: """
            What was removed is kept on record, but the files are gone. The run stays in the list as cancelled; `assay retry`
            has it computed again. A run that a report names is kept, unless --force is given.
            Example:  assay results rm k3f9
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Don't ask.")
    var yes = false

    @Flag(help: "Also if reports name the run; they stay as they are.")
    var force = false

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var run: String
        var results: Int
        var files: Int
        var bytes: Int
    }

    private static let slice = 5000

    func run() async throws {
        let answer = try await Session.with(self.options) { session in
            let store = try await session.store()
            let selection = try await RunSelection(self.id, in: session.queue)
            try self.check(selection, store)
            var results: [(job: JobRecord, results: [ShardResult])] = []
            for job in selection.jobs { results.append((job, try await session.queue.results(of: job.id))) }
            let count = results.reduce(0) { $0 + $1.results.count }
            let bytes = results.reduce(0) { $0 + $1.results.reduce(0) { $0 + $1.publication.bytes } }
            try await Confirmation.obtain(
                "\(Format.counted(count, "result")) (\(Format.bytes(bytes))) of \(self.id) will be removed for good",
                isGiven: self.yes)
            try await session.queue.restore(selection.run.id)
            var answer = Answer(run: selection.run.id.text, results: 0, files: 0, bytes: 0)
            for (job, results) in results {
                // Rows first: a row without a file would be a lost result, a file without a row is garbage.
                answer.results += try await self.withdraw(results, of: job, session)
                let removed = try await store.removeResults(run: job.id.run.text, job: job.id.name)
                answer.files += removed.count
                answer.bytes += removed.reduce(0) { $0 + $1.bytes }
            }
            return answer
        }
        if self.options.json { return try Output.json(answer) }
        Output.line(
            "removed \(Format.counted(answer.results, "result")): \(Format.counted(answer.files, "file")), "
                + "\(Format.bytes(Int64(answer.bytes)))")
    }

    private func check(_ selection: RunSelection, _ store: Store) throws {
        let open = selection.jobs.filter { ![.done, .failed, .cancelled].contains($0.state) }
        guard open.isEmpty else {
            throw CommandFailure(
                "\(open.map { "job \($0.id) is \($0.state.rawValue)" }.joined(separator: ", "))",
                hint: "wait until it is over, or cancel it with `assay cancel \(self.id)`")
        }
        let reports = try ReportLibrary(store: store.root).versions(naming: selection.run.id.text)
        guard reports.isEmpty || self.force else {
            throw CommandFailure(
                "run \(selection.run.id) is in \(reports.map { "report \($0.name) v\($0.version)" }.joined(separator: ", "))",
                hint: "reports keep their numbers, but not what stands behind them; if that is meant, give --force")
        }
    }

    private func withdraw(
        _ results: [ShardResult], of job: JobRecord, _ session: Session
    ) async throws(QueueError) -> Int {
        let reason = "removed by \(session.userName)"
        var count = 0
        // At least once: a job without results is not computed again either.
        for start in stride(from: 0, to: max(1, results.count), by: Self.slice) {
            let slice = results[start..<min(start + Self.slice, results.count)]
            count += try await session.queue.withdraw(
                slice.map { ResultWithdrawal($0, reason: reason) }, of: job.id, user: session.userName, again: false
            ).count
        }
        return count
    }
}
