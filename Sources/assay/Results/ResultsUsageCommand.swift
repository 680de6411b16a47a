internal import ArgumentParser
internal import Console
internal import JobQueue
internal import ResultStore

struct ResultsUsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "du",
        abstract: "Show what takes how much room in the store, and what nothing needs any more.",
        discussion: """
            Garbage and unused data sets go with `assay results gc --data-sets`, a run's results with `assay results rm`.
            Example:  assay results du
            """)

    @Argument(help: "A run, by any unique prefix. Without it, the whole store.")
    var id: String?

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        struct Run: Encodable {
            /// Nil for a folder of no run that this database knows.
            var name: String?
            var state: String?
            var usage: StoreUsage.Run
        }
        var runs: [Run]
        var dataSets: StoreUsage.Amount?
        var unusedDataSets: [DataSetFile]?
        var reports: StoreUsage.Amount?
        /// What `assay results gc` would remove at once, job files that others replaced among it.
        var garbage: StoreUsage.Amount?
    }

    func run() async throws {
        let answer = try await Session.with(self.options) { session in
            let store = try await session.store(.read)
            var run: RunRecord?
            if let id = self.id { run = try await session.queue.run(matching: id) }
            let usage = try await store.usage(ofRun: run?.id.text)
            var known = [run].compactMap { $0 }
            if run == nil { known = try await session.queue.runs(limit: .max, project: nil) }
            let byID = Dictionary(known.map { ($0.id.text, $0) }) { first, _ in first }
            var answer = Answer(
                runs: usage.runs.map { usage in
                    Answer.Run(
                        name: byID[usage.run]?.name, state: byID[usage.run]?.state.rawValue, usage: usage)
                })
            guard run == nil else { return answer }
            let named = try await session.queue.namedHashes()
            let garbage = try await GarbageJudge(session.queue).collect(
                in: store, olderThan: .seconds(3600), dryRun: true)
            answer.dataSets = Self.amount(usage.dataSets.map(\.bytes))
            answer.unusedDataSets = usage.dataSets.filter { !named.contains($0.sha256) }
            answer.reports = usage.reports
            answer.garbage = Self.amount(garbage.files.map(\.bytes))
            return answer
        }
        if self.options.json { return try Output.json(answer) }
        self.show(answer)
    }

    private static func amount(_ bytes: [Int]) -> StoreUsage.Amount {
        StoreUsage.Amount(files: bytes.count, bytes: bytes.reduce(0, +))
    }

    private func show(_ answer: Answer) {
        func text(_ amount: StoreUsage.Amount) -> String {
            amount.files == 0 ? "-" : Format.bytes(Int64(amount.bytes))
        }
        if !answer.runs.isEmpty {
            var table = Table("run", "name", "state", ">results", ">job files", ">other", ">together")
            for run in answer.runs.sorted(by: { $0.usage.bytes > $1.usage.bytes }) {
                table.add(
                    run.usage.run, run.name ?? "(not in this database)", run.state ?? "", text(run.usage.results),
                    text(run.usage.jobFiles), text(run.usage.others), Format.bytes(Int64(run.usage.bytes)))
            }
            Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
        }
        func line(_ name: String, _ amount: StoreUsage.Amount) {
            Output.line(
                Format.field(name, "\(Format.counted(amount.files, "file")), \(Format.bytes(Int64(amount.bytes)))"))
        }
        guard let dataSets = answer.dataSets, let reports = answer.reports, let garbage = answer.garbage,
            let unused = answer.unusedDataSets
        else { return }
        Output.line()
        line("data sets", dataSets)
        line("not in use", Self.amount(unused.map(\.bytes)))
        line("reports", reports)
        line("garbage", garbage)
    }
}
