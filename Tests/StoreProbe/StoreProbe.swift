import Evaluation
import Foundation
import Glibc
import Reporting
import ResultStore

/// Works in a store step by step, as a process of its own: under another user, with other mounts, with calls that fail.
///
/// Usage: StoreProbe TRIES ROOT STEP...; a step is create, adopt:UUID, open, openread, import:TEXT, publish:NUMBER,
/// dead:NUMBER (a result whose claim is dead), job, gc:KEPT,LATE,DIGEST, halfgc:... (which may fail), report, again (the
/// same report), or sh:COMMAND (in the store). Each one prints its outcome, with a line for every failed try.
@main
struct StoreProbe {
    private let root: String
    private var store: Store?
    private var files: [PublishedFile] = []
    /// How often a collection has asked which data sets are needed.
    private var questions = 0

    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        guard let tries = arguments.first.flatMap({ Int($0) }), let root = arguments.dropFirst().first else { exit(2) }
        var probe = StoreProbe(root: root)
        for step in arguments.dropFirst(2) { await probe.perform(step, tries: tries) }
    }

    private init(root: String) {
        self.root = root
    }

    private mutating func perform(_ step: String, tries: Int) async {
        for number in 1...tries {
            do {
                let answer = try await self.perform(step)
                print("\(step) ok \(answer)")
                return
            } catch let error as StoreError {
                print("\(step) error \(error.code) \(self.visible(step)) \(error)")
            } catch let error as ReportError {
                print("\(step) error \(error.code) \(Self.visibleReports(self.root)) \(error)")
            } catch {
                print("\(step) error other - \(error)")
            }
            if number == tries { return }
        }
    }

    private mutating func perform(_ step: String) async throws -> String {
        let parts = step.split(separator: ":", maxSplits: 1).map(String.init)
        let detail = parts.count > 1 ? parts[1] : ""
        switch parts[0] {
        case "create":
            self.store = try await Store.create(root: self.root)
            return ""
        case "adopt":
            self.store = try await Store.adopt(root: self.root, database: UUID(uuidString: detail) ?? UUID())
            return ""
        case "open":
            self.store = try await Store(root: self.root)
            return ""
        case "openread":
            self.store = try await Store(root: self.root, access: .read)
            return ""
        case "import": return try await self.opened().importDataSet(bytes: Array(detail.utf8))
        case "publish":
            let file = try await self.publish(Int(detail) ?? 0, Self.incarnation)
            self.files.append(file)
            return "\(file.path) \(file.bytes) \(file.sha256)"
        case "dead": return try await self.publish(Int(detail) ?? 0, Self.dead).path
        case "gc": return "\(try await self.collectGarbage(detail))"
        case "halfgc":
            do {
                return "\(try await self.collectGarbage(detail))"
            } catch {
                return "failed"
            }
        case "report", "again":
            let report = try ReportLibrary(store: self.root).publish(Self.report)
            return "\(report.version) \(parts[0] == "again" ? "\(report.isNew)" : "")"
        case "job":
            return try await self.opened().buildJobFile(runID: Self.run, jobID: Self.job, shards: self.files).path
        case "sh": return "\(system("cd '\(self.root)' && \(detail)"))"
        default: exit(2)
        }
    }

    private func opened() async throws(StoreError) -> Store {
        if let store = self.store { return store }
        return try await Store(root: self.root)
    }

    // MARK: A shard

    private static let run = "k3f9m2ab"
    private static let job = "k3f9m2ab.1"
    private static let incarnation = "00000000-0000-4000-8000-000000000001"
    /// Of a worker that somebody else took the shards from.
    private static let dead = "00000000-0000-4000-8000-000000000002"

    private static func path(_ index: Int) -> String {
        "runs/\(run)/\(job)/\(job).shard-\(index).e1.\(incarnation).h5"
    }

    private func publish(_ index: Int, _ incarnation: String) async throws -> PublishedFile {
        let hash = String(repeating: "a", count: 64)
        let header = ShardHeader(
            runID: Self.run, jobID: Self.job, shardIndex: index, rowStart: 2 * index, rowCount: 2, modelSHA256: hash,
            tokenizerSHA256: hash, datasetSHA256: hash, taskHash: hash, engine: "test", engineBuild: "1",
            deviceKind: "cpu", logitsMode: .none, provenance: "{}")
        let samples = (0..<2).map { row in
            SampleResult(
                sampleID: "\(2 * index + row)", row: 2 * index + row, target: "", prediction: "",
                metrics: [.init(name: "acc", value: Double(row), weight: 1)], promptTokens: 1)
        }
        return try await self.opened().publishShard(
            header, samples: samples, epoch: 1, incarnation: UUID(uuidString: incarnation) ?? UUID())
    }

    // MARK: Garbage

    /// - Parameter detail: The SHA-256 of a data set that is needed all the time and of one that is from the second question
    ///   on, as after a submission meanwhile; the digest of the job's file.
    private mutating func collectGarbage(_ detail: String) async throws -> Int {
        let parts = detail.split(separator: ",").map(String.init)
        guard parts.count == 3 else { exit(2) }
        let store = try await self.opened()
        let files = try await store.collectGarbage(
            olderThan: .zero, dryRun: false, jobDigest: { _, _ in parts[2] },
            deadClaims: { claims in claims.filter { $0.incarnation.uuidString == Self.dead } })
        let unused = try await store.collectDataSets(olderThan: .zero, dryRun: false) {
            self.questions += 1
            return Set(parts.prefix(self.questions > 1 ? 2 : 1))
        }
        return files.count + unused.count
    }

    // MARK: A report

    private static var report: ReportFiles {
        get throws {
            let hash = String(repeating: "a", count: 64)
            let accuracy = MetricDefinition(
                name: "acc", metric: .acc, filter: "none", aggregation: .mean, higherIsBetter: true)
            var samples = SampleColumns(terms: [0])
            for row in 0..<4 {
                samples.sampleIDs.append("\(row)")
                samples.clusters.append(nil)
                samples.targets.append("")
                samples.predictions.append("")
                samples.metrics[0].values.append(Double(row % 2))
                samples.metrics[0].weights.append(1)
                samples.finishReasons.append(nil)
                samples.promptTokens.append(0)
                samples.generatedTokens.append(0)
                samples.isTruncated.append(false)
                samples.isUnparsed.append(false)
            }
            let job = JobInput(
                name: Self.job, task: TaskInput(name: "faults", hash: hash), model: ModelInput(name: "m", sha256: hash),
                engines: [EngineInput(name: "test", build: "1", deviceKind: "cpu")], datasetSHA256: hash,
                logitsMode: "none", settings: "{}", shardCount: 1, digest: hash,
                resultPath: "runs/\(Self.run)/\(Self.job)/job.\(hash).h5", metrics: [accuracy],
                samples: samples)
            return try ReportFiles(
                ReportInput(runID: Self.run, runName: "faults", project: "default", jobs: [job]),
                name: try ReportName("demo"), toolVersion: "1")
        }
    }

    /// The report's versions after a try that failed, and whether each is whole: "-", or "1:whole".
    private static func visibleReports(_ root: String) -> String {
        let library = ReportLibrary(store: root)
        guard let name = try? ReportName("demo"), let versions = try? library.versions(of: name), !versions.isEmpty
        else { return "-" }
        return versions.map { version in
            "\(version):\((try? library.verify(name, version: version)) == nil ? "half" : "whole")"
        }.joined(separator: ",")
    }

    /// What readers could see of the shard after a try that failed: "-", or the size of the file.
    private func visible(_ step: String) -> String {
        guard step.hasPrefix("publish:"), let index = Int(step.dropFirst("publish:".count)) else { return "-" }
        var status = stat()
        return stat("\(self.root)/\(Self.path(index))", &status) == 0 ? "\(status.st_size)" : "-"
    }
}
