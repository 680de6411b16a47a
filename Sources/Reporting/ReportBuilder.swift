public import Evaluation
internal import FoundationEssentials
public import JobQueue
public import ResultStore
internal import Threads

/// Builds reports of runs from their published results.
public struct ReportBuilder: Sendable {
    private let queue: any RunRegistry
    private let store: Store
    private let completed: @Sendable (JobSpecification.Task) throws -> JobSpecification.Task

    /// - Parameter completed: Adds what jobs of older releases do not say of their task: metrics, alias and version.
    public init(
        queue: any RunRegistry, store: Store,
        completed: @Sendable @escaping (JobSpecification.Task) throws -> JobSpecification.Task
    ) {
        self.queue = queue
        self.store = store
        self.completed = completed
    }

    /// Builds and publishes the report of a run; changes nothing if the same results were reported before.
    ///
    /// - Parameter name: The report's name; nil: the run's id.
    /// - Throws: `ReportError.notReportable` unless every job is done, and whatever the queue and the store throw.
    public func build(_ run: RunID, name: ReportName? = nil) async throws -> BuiltReport {
        let name = try name ?? ReportName(run.text)
        let input = try await self.input(run)
        let files = try ReportFiles(input, name: name, toolVersion: AssayVersion.text)
        // The library goes by path, which may be another folder's by now.
        try await self.store.check()
        let library = ReportLibrary(store: self.store.root)
        let published = try await onOwnThread { () throws(ReportError) in try library.publish(files) }
        return BuiltReport(
            report: files.report, published: published,
            absoluteFolder: try self.store.absolutePath("reports/\(name)/v\(published.version)"),
            resultFiles: try input.jobs.map { try self.store.absolutePath($0.resultPath) })
    }

    /// Reads all that the report of a run is made from; every file is checked against its published sha256.
    public func input(_ run: RunID) async throws -> ReportInput {
        let record = try await self.queue.run(matching: run.text)
        let jobs = try await self.queue.jobs(of: run)
        try Self.check(jobs, of: record)
        var inputs: [JobInput] = []
        for job in jobs { inputs.append(try await self.input(job)) }
        return ReportInput(runID: run.text, runName: record.name, project: record.project, jobs: inputs)
    }

    private func input(_ job: JobRecord) async throws -> JobInput {
        let specification = try Self.parse(try await self.queue.specification(of: job.id), of: job)
        let task = try self.completed(specification.task)
        guard let metrics = task.metrics else {
            throw ReportError(
                .malformed, "the specification of job \(job.id.name) names no metrics; submit the job again")
        }
        let files = try await JobFiles(of: job, in: self.queue)
        guard files.isComplete else {
            throw ReportError(
                .notReportable,
                "job \(job.id.name) has \(files.shards.count) results for \(job.progress.shards.total) shards; "
                    + "finish the run with assay-worker --drain, then build the report again")
        }
        var join = ShardJoin(job: job.id.name, specification: specification, metrics: metrics)
        for shard in files.shards {
            try join.append(try await self.store.readSamples(shard.path, sha256: shard.sha256), from: shard.path)
        }
        try join.finish()
        var input = JobInput(
            name: job.id.name,
            task: .init(
                name: specification.task.name, alias: task.alias, version: task.version,
                hash: specification.task.hash),
            model: .init(
                name: specification.model.name, sha256: specification.model.sha256,
                tokenizerSHA256: specification.model.tokenizerSHA256,
                tokenizerDoubt: specification.model.tokenizerDoubt),
            engines: join.engines, datasetSHA256: specification.dataSet.sha256,
            promptsHash: join.promptsHash, logitsMode: specification.settings.logits.rawValue,
            settings: try specification.settings.json(),
            shardCount: files.shards.count, digest: files.digest,
            resultPath: try await files.build(in: self.store).path, metrics: metrics, samples: join.samples)
        input.groups = specification.groups ?? []
        input.reusedFrom = join.reusedFrom
        input.allowsMixing = specification.settings.mixed == true
        input.isStrict = specification.settings.invariance == .strict
        return input
    }

    private static func parse(_ json: String, of job: JobRecord) throws(ReportError) -> JobSpecification {
        do {
            return try JobSpecification(json: json)
        } catch {
            throw ReportError(
                .malformed,
                "the specification of job \(job.id.name) cannot be read: \(error); it was submitted by another version of "
                    + "this program, so submit the job again")
        }
    }

    /// Refuses a run that is not done, and says of every job what is missing.
    private static func check(_ jobs: [JobRecord], of run: RunRecord) throws(ReportError) {
        let open = jobs.filter { $0.state != .done }
        guard !open.isEmpty else { return }
        let list = open.map { job in
            "\(job.id.name) (\(Printable.text(job.task, limit: 80))) is \(job.state.rawValue), "
                + "\(job.progress.shards.done) of \(job.progress.shards.total) shards done"
        }
        throw ReportError(
            .notReportable,
            "run \(run.id) cannot be reported on, since not all of its jobs are done: \(list.joined(separator: "; ")). "
                + "assay show \(run.id) says more; build the report when the run is done")
    }
}

/// A report as it was built: what it says and where it stands.
public struct BuiltReport: Sendable {
    public let report: Report
    public let published: PublishedReport
    /// The version's folder.
    public let absoluteFolder: String
    /// The HDF5 file of every job, in the run's order.
    public let resultFiles: [String]
}

extension JobSpecification.Settings {
    /// As JSON with sorted keys; equal settings give equal bytes.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
