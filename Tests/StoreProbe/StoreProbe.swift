import Evaluation
import Foundation
import Glibc
import ResultStore

/// Works in a store step by step, as a process of its own: under another user, with other mounts, with calls that fail.
///
/// Usage: StoreProbe TRIES ROOT STEP...; a step is create, adopt:UUID, open, import:TEXT, publish:NUMBER, job, or sh:COMMAND.
/// Each one says what became of it, every failed try in a line of its own.
@main
struct StoreProbe {
    private let root: String
    private var store: Store?
    private var files: [PublishedFile] = []

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
            } catch {
                print("\(step) error other \(error)")
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
        case "import": return try await self.opened().importDataSet(bytes: Array(detail.utf8))
        case "publish":
            let file = try await self.publish(Int(detail) ?? 0)
            self.files.append(file)
            return "\(file.path) \(file.bytes) \(file.sha256)"
        case "job":
            return try await self.opened().buildJobFile(runID: Self.run, jobID: Self.job, shards: self.files).path
        case "sh": return "\(system(detail))"
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

    private static func path(_ index: Int) -> String { "runs/\(run)/\(job)/shard-\(index).e1.\(incarnation).h5" }

    private func publish(_ index: Int) async throws -> PublishedFile {
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
            header, samples: samples, epoch: 1, incarnation: UUID(uuidString: Self.incarnation) ?? UUID())
    }

    /// What readers could see of the shard after a try that failed: "-", or the size of the file.
    private func visible(_ step: String) -> String {
        guard step.hasPrefix("publish:"), let index = Int(step.dropFirst("publish:".count)) else { return "-" }
        var status = stat()
        return stat("\(self.root)/\(Self.path(index))", &status) == 0 ? "\(status.st_size)" : "-"
    }
}
