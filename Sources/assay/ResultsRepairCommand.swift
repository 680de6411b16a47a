internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import Evaluation
internal import JobQueue
internal import PostgresQueue
internal import Reporting
internal import ResultStore
internal import TerminalText

struct ResultsRepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Find results whose files are lost or damaged, and have just these computed again.",
        discussion: """
            Reads every file of the run. What is not as published counts no more: its row is kept apart (`assay logs` shows
            it), and workers compute the shard again, under another name. Until that is done the run can't be reported on.
            An archived run is brought back first. Files that can't be read at all are left alone.
            Example:  assay results repair k3f9 --dry-run
            """)

    @Argument(help: "A run or job, by any unique prefix.")
    var id: String

    @Flag(help: "Only show what is lost or damaged.")
    var dryRun = false

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        struct Damage: Encodable {
            var job: String
            var shard: Int
            var path: String
            var reason: String
            /// The file could be read, or is surely not there, so that the result can be taken out.
            var isCertain: Bool
        }
        var dryRun: Bool
        /// Results that were looked at.
        var checked = 0
        var damaged: [Damage] = []
        /// Results that count no more.
        var withdrawn = 0
        /// What stands in the way of computing them again.
        var notes: [String] = []
    }

    /// So many results are taken out at once.
    private static let slice = 5000

    func run() async throws {
        let answer = try await Session.with(self.options) { session in
            let store = try await session.store(.read)
            let selection = try await RunSelection(self.id, in: session.queue)
            var answer = Answer(dryRun: self.dryRun)
            var found: [(job: JobRecord, withdrawals: [ResultWithdrawal])] = []
            for job in selection.jobs {
                let results = try await session.queue.results(of: job.id)
                let damages = try await self.damages(job, results, store)
                answer.checked += results.count
                answer.damaged += damages.map { $0.damage }
                found.append((job, damages.filter { $0.damage.isCertain }.map { $0.withdrawal }))
            }
            // A store that went away meanwhile would look as if all were lost.
            try await store.check()
            found.removeAll { $0.withdrawals.isEmpty }
            guard !self.dryRun, !found.isEmpty else { return answer }
            if try await session.queue.restore(selection.run.id) {
                answer.notes.append("run \(selection.run.id) was archived and is back")
            }
            for (job, withdrawals) in found {
                for start in stride(from: 0, to: withdrawals.count, by: Self.slice) {
                    let slice = withdrawals[start..<min(start + Self.slice, withdrawals.count)]
                    answer.withdrawn += try await session.queue.withdraw(
                        Array(slice), of: job.id, user: session.userName, again: true
                    ).count
                }
                answer.notes += try await self.obstacles(job, session, store)
            }
            return answer
        }
        if self.options.json { try Output.json(answer) } else { self.show(answer) }
        let uncertain = answer.damaged.count { !$0.isCertain }
        guard uncertain == 0 else {
            throw UserError(
                "\(Format.counted(uncertain, "file")) can't be read, which does not prove that they are damaged",
                hint: "see to the store's permissions and its disk, then repeat the command")
        }
    }

    private func damages(
        _ job: JobRecord, _ results: [ShardResult], _ store: Store
    ) async throws -> [(damage: Answer.Damage, withdrawal: ResultWithdrawal)] {
        // A path may stand in several rows, all but one of them wrong.
        let byShard = Dictionary(results.map { ($0.key.index, $0) }) { first, _ in first }
        return try await JobFiles(of: job, results).verify(in: store).compactMap { issue in
            issue.shard.flatMap { byShard[$0] }.map { result in
                (
                    Answer.Damage(
                        job: job.id.name, shard: result.key.index, path: issue.path, reason: issue.message,
                        isCertain: issue.kind != .inaccessible),
                    ResultWithdrawal(result, reason: String(issue.message.prefix(2000)))
                )
            }
        }
    }

    /// What keeps the job's shards from being computed again.
    private func obstacles(_ job: JobRecord, _ session: Session, _ store: Store) async throws -> [String] {
        var notes: [String] = []
        let now = try await session.queue.job(matching: job.id.name)
        if now.state == .cancelled {
            notes.append("job \(job.id) was cancelled: have it computed again with `assay retry \(job.id)`")
        } else if now.gate == .held {
            notes.append("job \(job.id) is held: let it go on with `assay release \(job.id)`")
        }
        let specification = try JobSpecification(json: try await session.queue.specification(of: job.id))
        for sha256 in [specification.dataSet.sha256, specification.fewShotPool?.sha256].compactMap({ $0 }) {
            do {
                _ = try await store.dataSet(sha256: sha256)
            } catch {
                notes.append(
                    "data set \(sha256.prefix(12)) of job \(job.id) is not as imported (\(error.message)); move a damaged file "
                        + "away, then `assay submit --dry-run`, or the same `assay dataset add` again, puts it back")
            }
        }
        return notes
    }

    private func show(_ answer: Answer) {
        for damage in answer.damaged { Output.line("\(damage.path): \(damage.reason)") }
        for note in answer.notes { Output.note("\(note)") }
        let what = "\(answer.damaged.count) of \(Format.counted(answer.checked, "result")) not as published"
        if answer.damaged.isEmpty {
            Output.line("\(Format.counted(answer.checked, "result")) as published")
        } else if self.dryRun {
            Output.line("\(what); nothing was changed")
        } else {
            Output.line("\(what); \(answer.withdrawn) to be computed again: `assay watch \(self.id)`")
        }
    }
}
