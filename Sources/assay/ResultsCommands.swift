internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import JobQueue
internal import Maintenance
internal import PostgresQueue
internal import Reporting
internal import ResultStore
internal import TerminalText

struct ResultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results", abstract: "Find, identify, check, repair and clean up result files.",
        subcommands: [
            ResultsPathCommand.self, ResultsDigestCommand.self, ResultsVerifyCommand.self, ResultsRepairCommand.self,
            ResultsUsageCommand.self,
            ResultsGCCommand.self, ResultsRemoveCommand.self,
            ResultsRescoreCommand.self,
        ])
}

struct ResultsPathCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "path",
        abstract: "Print the HDF5 file of every finished job, for h5py.",
        discussion: """
            Fails if any of a job's files is missing or has another size than was published; with --verify also if
            anything in them is other than published.
            Example:  python3 -c 'import h5py,sys; ...' $(assay results path k3f9.1)
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Read every file again and compare it with what was published.")
    var verify = false

    @OptionGroup var options: GlobalOptions

    struct Row: Encodable {
        var job: String
        var task: String
        var path: String
        var sha256: String
    }

    func run() async throws {
        let rows = try await Session.with(self.options) { session in
            let store = try await session.store()
            var rows: [Row] = []
            for job in try await RunSelection(self.id, in: session.queue).jobs {
                let files = try await JobFiles(of: job, in: session.queue)
                guard files.isComplete else {
                    throw UserError(
                        "job \(job.id) is \(job.state.rawValue): \(files.shards.count) of "
                            + "\(job.progress.shards.total) shards are published",
                        hint: "wait for it with `assay watch \(job.id.run)`, or see why with `assay show \(job.id)`")
                }
                let file = try await files.build(in: store)
                if self.verify {
                    let issues = try await store.verifyJobFile(file, shards: files.shards)
                    guard issues.isEmpty else {
                        throw UserError(
                            issues.map { "\($0.path): \($0.message)" }.joined(separator: "\n"),
                            hint: "have what is damaged computed again with `assay results repair \(job.id)`")
                    }
                }
                rows.append(
                    Row(
                        job: job.id.name, task: job.task, path: try store.absolutePath(file.path),
                        sha256: file.sha256))
            }
            return rows
        }
        if self.options.json { return try Output.json(rows) }
        for row in rows { Output.line("\(row.path)") }
    }
}

struct ResultsDigestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digest",
        abstract: "Print the logical digest of every finished job: equal digests, equal results.",
        discussion: """
            Example:  diff <(assay results digest k3f9) <(assay results digest m7x2)

            Digests count what a result depends on, as the engine and the size of shards. With --samples they are of the
            samples alone, which are read for it: their texts, tokens, log-probabilities and scores.
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Of the samples alone, however they were cut into shards and whatever computed them.")
    var samples = false

    @OptionGroup var options: GlobalOptions

    struct Row: Encodable {
        var task: String
        var model: String
        var digest: String
    }

    func run() async throws {
        let rows = try await Session.with(self.options) { session in
            var rows: [Row] = []
            for job in try await RunSelection(self.id, in: session.queue).jobs {
                let files = try await JobFiles(of: job, in: session.queue)
                guard files.isComplete else {
                    throw UserError(
                        "job \(job.id) is \(job.state.rawValue); a digest is of a finished job",
                        hint: "wait for it with `assay watch \(job.id.run)`")
                }
                let digest = self.samples ? try await files.samplesDigest(in: session.store()) : files.digest
                rows.append(Row(task: job.task, model: job.model, digest: digest))
            }
            return rows
        }
        if self.options.json { return try Output.json(rows) }
        for row in rows { Output.line("\(row.digest)  \(row.task)  \(row.model)") }
    }
}

struct ResultsVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every result file again and compare it with what was published.",
        discussion: "Example:  assay results verify k3f9")

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        struct Issue: Encodable {
            var path: String
            var message: String
        }
        var files: Int
        var issues: [Issue]
    }

    func run() async throws {
        let answer = try await Session.with(self.options) { session in
            let store = try await session.store(.read)
            var answer = Answer(files: 0, issues: [])
            for job in try await RunSelection(self.id, in: session.queue).jobs {
                let files = try await JobFiles(of: job, in: session.queue)
                var issues = try await files.verify(in: store).map { Answer.Issue(path: $0.path, message: $0.message) }
                answer.files += files.shards.count
                if files.isComplete, issues.isEmpty {
                    if let found = try await self.issues(ofJobFile: files, in: store) {
                        issues = found
                        answer.files += 1
                    }
                }
                answer.issues += issues
            }
            return answer
        }
        if self.options.json { try Output.json(answer) }
        guard answer.issues.isEmpty else {
            for issue in answer.issues where !self.options.json { Output.line("\(issue.path): \(issue.message)") }
            throw UserError(
                "\(answer.issues.count) of \(answer.files) files are not as published",
                hint: "restore them from a backup, or have them computed again with `assay results repair \(self.id)`")
        }
        if !self.options.json { Output.line("\(answer.files) files are as published") }
    }

    /// What is wrong with the file over all shards of a job, which is made if it is not there; nil if it is not, and may
    /// not be made by this user: it is no result that could be lost.
    private func issues(ofJobFile files: JobFiles, in store: Store) async throws(StoreError) -> [Answer.Issue]? {
        do {
            let file = try await files.build(in: store)
            return try await store.verifyJobFile(file, shards: files.shards).map {
                Answer.Issue(path: $0.path, message: $0.message)
            }
        } catch  where [.missing, .corrupt, .malformed, .invalidInput].contains(error.code) {
            // Something went away or was changed a moment ago; the other jobs are looked at all the same.
            return [Answer.Issue(path: error.path, message: error.message)]
        } catch  where error.code == .unusableStore {
            guard try await !files.isBuilt(in: store) else { throw error }
            return nil
        }
    }
}

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
