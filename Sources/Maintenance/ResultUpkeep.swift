internal import Evaluation
public import JobQueue
internal import Reporting
public import ResultStore

/// So many results are taken out at once.
private let slice = 5000

/// Removes the results of jobs that are over, rows and files.
public struct ResultRemoval: Sendable {
    /// What was removed.
    public struct Removed: Sendable, Hashable, Encodable {
        public var run: String
        public var results = 0
        public var files = 0
        public var bytes = 0
    }

    private let selection: RunSelection
    private let store: Store
    private let results: [(job: JobRecord, results: [ShardResult])]

    /// How many results there are to remove.
    public var count: Int { self.results.reduce(0) { $0 + $1.results.count } }

    public var bytes: Int64 {
        self.results.reduce(0) { $0 + $1.results.reduce(0) { $0 + $1.publication.bytes } }
    }

    /// Looks at what there is, and removes nothing.
    ///
    /// - Parameter evenIfReported: Although reports name the run; they stay as they are.
    /// - Throws: `UpkeepError` if a job is not over or a report names the run, or what queue and store throw.
    public init(
        _ selection: RunSelection, queue: any RunRegistry, store: Store, evenIfReported: Bool
    ) async throws {
        let open = selection.jobs.filter { ![.done, .failed, .cancelled].contains($0.state) }
        guard open.isEmpty else {
            throw UpkeepError(
                .notOver, open.map { "job \($0.id) is \($0.state.rawValue)" }.joined(separator: ", "))
        }
        let reports = try ReportLibrary(store: store.root).versions(naming: selection.run.id.text)
        guard reports.isEmpty || evenIfReported else {
            let names = reports.map { "report \($0.name) v\($0.version)" }.joined(separator: ", ")
            throw UpkeepError(.reported, "run \(selection.run.id) is in \(names)")
        }
        self.selection = selection
        self.store = store
        var results: [(job: JobRecord, results: [ShardResult])] = []
        for job in selection.jobs { results.append((job, try await queue.results(of: job.id))) }
        self.results = results
    }

    /// Takes the results out of the queue and removes their files; an archived run is brought back first.
    ///
    /// - Parameter user: Who does it, for people.
    public func perform(user: String, queue: any StoreRegistry) async throws -> Removed {
        try await queue.restore(self.selection.run.id)
        var removed = Removed(run: self.selection.run.id.text)
        for (job, results) in self.results {
            let withdrawals = results.map { ResultWithdrawal($0, reason: "removed by \(user)") }
            // Rows first: a row without a file would be a lost result, a file without a row is garbage.
            removed.results += try await queue.withdraw(all: withdrawals, of: job.id, user: user, again: false)
            let files = try await self.store.removeResults(run: job.id.run.text, job: job.id.name)
            removed.files += files.count
            removed.bytes += files.reduce(0) { $0 + $1.bytes }
        }
        return removed
    }
}

/// Finds results whose files are lost or damaged, and has just these computed again.
public struct ResultRepair: Sendable {
    public struct Damage: Sendable, Hashable, Encodable {
        public var job: String
        public var shard: Int
        public var path: String
        public var reason: String
        /// The file could be read, or is surely not there, so that the result can be taken out.
        public var isCertain: Bool
    }

    /// What a person should know, or has to do, so that shards are computed again.
    public enum Note: Sendable, Hashable {
        /// The run was archived and is back.
        case wasArchived(RunID)
        case isCancelled(JobID)
        case isHeld(JobID)
        /// Rows that the job needs are not as imported.
        case damagedDataSet(sha256: String, JobID, reason: String)
    }

    public struct Report: Sendable, Hashable {
        /// Results that were looked at.
        public var checked = 0
        public var damaged: [Damage] = []
        /// Results that count no more.
        public var withdrawn = 0
        public var notes: [Note] = []
    }

    private let selection: RunSelection
    private let queue: any JobQueue
    private let store: Store

    public init(_ selection: RunSelection, queue: any JobQueue, store: Store) {
        self.selection = selection
        self.queue = queue
        self.store = store
    }

    /// Reads every file; what is surely not as published is taken out, unless that is only to be shown.
    ///
    /// - Parameter user: Who does it, for people.
    /// - Throws: What queue and store throw; nothing has been taken out if the store went away meanwhile.
    public func perform(user: String, dryRun: Bool) async throws -> Report {
        var report = Report()
        var found: [(job: JobRecord, withdrawals: [ResultWithdrawal])] = []
        for job in self.selection.jobs {
            let results = try await self.queue.results(of: job.id)
            let damages = try await self.damages(job, results)
            report.checked += results.count
            report.damaged += damages.map(\.damage)
            found.append((job, damages.filter(\.damage.isCertain).map(\.withdrawal)))
        }
        // A store that went away meanwhile would look as if all were lost.
        try await self.store.check()
        found.removeAll { $0.withdrawals.isEmpty }
        guard !dryRun, !found.isEmpty else { return report }
        let run = self.selection.run.id
        if try await self.queue.restore(run) { report.notes.append(.wasArchived(run)) }
        for (job, withdrawals) in found {
            report.withdrawn += try await self.queue.withdraw(all: withdrawals, of: job.id, user: user, again: true)
            report.notes += try await self.obstacles(job)
        }
        return report
    }

    private func damages(
        _ job: JobRecord, _ results: [ShardResult]
    ) async throws -> [(damage: Damage, withdrawal: ResultWithdrawal)] {
        // A path may stand in several rows, all but one of them wrong.
        let byShard = Dictionary(results.map { ($0.key.index, $0) }) { first, _ in first }
        return try await JobFiles(of: job, results).verify(in: self.store).compactMap { issue in
            issue.shard.flatMap { byShard[$0] }.map { result in
                (
                    Damage(
                        job: job.id.name, shard: result.key.index, path: issue.path, reason: issue.message,
                        isCertain: issue.kind != .inaccessible),
                    ResultWithdrawal(result, reason: String(issue.message.prefix(2000)))
                )
            }
        }
    }

    /// What keeps the job's shards from being computed again.
    private func obstacles(_ job: JobRecord) async throws -> [Note] {
        var notes: [Note] = []
        let now = try await self.queue.job(matching: job.id.name)
        if now.state == .cancelled {
            notes.append(.isCancelled(job.id))
        } else if now.gate == .held {
            notes.append(.isHeld(job.id))
        }
        let specification = try JobSpecification(json: try await self.queue.specification(of: job.id))
        for sha256 in [specification.dataSet.sha256, specification.fewShotPool?.sha256].compactMap({ $0 }) {
            do {
                _ = try await self.store.dataSet(sha256: sha256)
            } catch {
                notes.append(.damagedDataSet(sha256: sha256, job.id, reason: error.message))
            }
        }
        return notes
    }
}

extension StoreRegistry {
    /// Takes results out in slices; answers how many were taken out.
    fileprivate func withdraw(
        all results: [ResultWithdrawal], of job: JobID, user: String, again: Bool
    ) async throws(QueueError) -> Int {
        var count = 0
        // At least once: a job without results is not to be computed again either.
        for start in stride(from: 0, to: max(1, results.count), by: slice) {
            let part = Array(results[start..<min(start + slice, results.count)])
            count += try await self.withdraw(part, of: job, user: user, again: again).count
        }
        return count
    }
}

/// Why results are left as they are.
public struct UpkeepError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// Jobs may still get results.
        case notOver
        /// Reports name the run.
        case reported
    }

    public var code: Code
    /// What is in the way.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
