import Evaluation
import Foundation
import ProcessTesting
import Testing

@testable import ResultStore

/// What Tests/Interop/results.py prints of a file.
private struct Shown: Decodable {
    struct Frame: Decodable {
        var ids: [String]
        var columns: [String]
        var types: [String: String]
        var target: [String]
        var prediction: [String]
        var finish_reason: [String?]
        var is_truncated: [Bool]
        var metrics: [String: [Double?]]
    }
    struct Choices: Decodable {
        var offsets: [Int]
        var logprob_sum: [Double?]
        var is_greedy: [Bool]
        var text: [String]
        var units: String
    }
    struct Generations: Decodable {
        var offsets: [Int]
        var n_tokens: [Int]
        var text: [String]
    }
    struct Epochs: Decodable {
        var offsets: [Int]
        var values: [String: [Double]]
    }
    struct Missing: Decodable {
        var values: [String]
        var fill: String
        var note: String
    }
    struct Tokens: Decodable {
        var offsets: [Int]
        var token_id: [Int32]
        var logprob: [Float?]
        var is_prompt: [Bool]
    }
    var frame: Frame
    var attributes: [String: String]
    var provenance: [String: String]
    var prompt: [String]
    var generation: [String]
    var choices: Choices?
    var tokens: Tokens?
    var generations: Generations?
    var epochs: Epochs?
    var missing: [String: Missing]?
    var digest: String?
    var shards: [String]?
    var virtual: [String]?

    /// - Parameter folder: The current folder of who reads.
    init(_ kind: String, _ path: String, _ folder: String = "/") async throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        self = try decoder.decode(Shown.self, from: try await Results.run(kind, path, folder))
    }

    /// - Parameter isAlone: Whether the file is a job's without its shards.
    func expect(_ samples: [SampleResult], mode: LogitsMode, isAlone: Bool = false) {
        #expect(self.frame.ids == samples.map(\.sampleID))
        #expect(self.frame.target == samples.map(\.target))
        #expect(self.frame.prediction == samples.map(\.prediction))
        #expect(self.frame.finish_reason == samples.map { $0.finishReason?.rawValue })
        #expect(self.frame.is_truncated == samples.map(\.isTruncated))
        #expect(self.frame.types["finish_reason"] == "category" && self.frame.types["is_truncated"] == "bool")
        #expect(self.frame.types["acc"] == "float64" && self.frame.types["row"] == "int64")
        for (index, name) in samples[0].metrics.map(\.name).enumerated() {
            #expect(self.frame.metrics[name] == samples.map { $0.metrics[index].value })
        }
        #expect(self.prompt == (isAlone ? [] : samples.map(\.prompt)))
        #expect(self.generation == (isAlone ? [] : samples.map(\.generation)))
        #expect(self.provenance == ["task": "hellaswag"])
        #expect(self.attributes["complete"] == "1" && self.attributes["engine"] == "llama.cpp")
        let choices = samples.flatMap(\.choices)
        #expect((self.choices == nil) == (mode == .none) && (self.tokens == nil) == (isAlone || mode != .tokens))
        if let shown = self.choices {
            #expect(shown.offsets == samples.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.choices.count) })
            #expect(shown.logprob_sum == choices.map(\.logProb))
            #expect(shown.is_greedy == choices.map(\.isGreedy) && shown.text == choices.map(\.text))
            #expect(shown.units == "nat")
        }
        let tokens = samples.flatMap(\.tokens)
        if let shown = self.tokens {
            #expect(shown.offsets == samples.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.tokens.count) })
            #expect(shown.token_id == tokens.map(\.tokenID) && shown.is_prompt == tokens.map(\.isPrompt))
            #expect(shown.logprob == tokens.map(\.logProb))
        }
    }
}

@Suite struct InteropTests {
    @Test(arguments: LogitsMode.allCases)
    func pythonReadsAShardAndComputesItsDigest(mode: LogitsMode) async throws {
        let place = try await TemporaryStore()
        let samples = SampleResult.random(40, seed: 5, weighted: mode == .none)
        let file = try await place.store.publishShard(
            .sample(count: 40, mode: mode), samples: samples, epoch: 1, incarnation: UUID())
        let shown = try await Shown("shard", "\(place.path)/\(file.path)")
        shown.expect(samples, mode: mode)
        #expect(shown.digest == file.digest)
    }

    @Test func pythonReadsAJobFile() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [7, 1, 30], mode: .tokens)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        let shown = try await Shown("job", "\(place.path)/\(file.path)")
        shown.expect(job.samples, mode: .tokens)
        #expect(shown.shards == job.files.map { String($0.path.split(separator: "/")[3]) })
        #expect(shown.virtual.map(Set.init) == Self.linked)
        #expect(shown.attributes["digest"] == file.digest && shown.attributes["row_count"] == "38")
    }

    /// One worker's first claims of two jobs differ in nothing but the job.
    @Test func pythonReadsTheFilesOfTwoJobsInOneFolder() async throws {
        let place = try await TemporaryStore()
        let folder = "\(place.path)/reports/both"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var copies: [(path: String, job: PublishedJob)] = []
        let incarnation = UUID()
        for (seed, run) in [(0, "one"), (100, "two")] as [(UInt64, String)] {
            let job = try await PublishedJob(
                in: place, run: run, counts: [7, 30], mode: .tokens, seed: seed, incarnation: incarnation)
            let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
            for path in [file.path] + job.files.map(\.path) {
                let name = try StorePath(parsing: path).name
                try FileManager.default.copyItem(atPath: "\(place.path)/\(path)", toPath: "\(folder)/\(name)")
            }
            copies.append(("\(folder)/\(try StorePath(parsing: file.path).name)", job))
        }
        for (path, job) in copies { try await Shown("job", path).expect(job.samples, mode: .tokens) }
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder)).count == 6)
    }

    /// HDF5 also looks for a shard's file in the current folder.
    @Test func aJobFileThatIsReadFromAnotherJobsFolderShowsNothingOfThatJob() async throws {
        let place = try await TemporaryStore()
        let incarnation = UUID()
        let jobs = [
            try await PublishedJob(in: place, run: "one", counts: [7, 30], mode: .tokens, incarnation: incarnation),
            try await PublishedJob(
                in: place, run: "two", counts: [7, 30], mode: .tokens, seed: 100, incarnation: incarnation),
        ]
        let file = try await place.store.buildJobFile(runID: jobs[0].run, jobID: jobs[0].job, shards: jobs[0].files)
        let copy = "\(place.path)/reports/alone.h5"
        try FileManager.default.copyItem(atPath: "\(place.path)/\(file.path)", toPath: copy)
        func folder(_ job: PublishedJob) -> String { "\(place.path)/runs/\(job.run)/\(job.job)" }
        let other = try await Shown("alone", copy, folder(jobs[1]))
        let missing = try #require(other.missing)
        #expect(Set(missing.keys) == Self.linked)
        for (path, column) in missing { #expect(column.values == [column.fill], "\(path)") }
        // From its own folder it shows all.
        try await Shown("job", copy, folder(jobs[0])).expect(jobs[0].samples, mode: .tokens)
    }

    @Test func aJobOfFilesThatAnOlderReleaseNamedIsReadAsBefore() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [7, 1], mode: .tokens).withOldNames(in: place)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        #expect(try await place.store.verifyJobFile(file, shards: job.files).isEmpty)
        let shown = try await Shown("job", "\(place.path)/\(file.path)")
        shown.expect(job.samples, mode: .tokens)
        #expect(shown.shards?.allSatisfy { $0.hasPrefix("shard-") } == true)
        #expect(try await place.store.removeResults(run: job.run, job: job.job).count == 3)
    }

    /// What a job's file takes from its shards' files.
    private static let linked: Set = [
        "/text/prompt", "/text/generation", "/tokens/token_id", "/tokens/logprob", "/tokens/request",
    ]

    @Test func aJobFileWithoutItsShardsStillGivesTheScoresAndSaysWhatIsMissing() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [7, 1, 30], mode: .tokens)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        let copy = "\(place.path)/reports/alone.h5"
        try FileManager.default.copyItem(atPath: "\(place.path)/\(file.path)", toPath: copy)
        let shown = try await Shown("alone", copy)
        shown.expect(job.samples, mode: .tokens, isAlone: true)
        let missing = try #require(shown.missing)
        #expect(Set(missing.keys) == Self.linked)
        for (path, column) in missing {
            let fill = path == "/tokens/logprob" ? "NaN" : path.hasPrefix("/text/") ? "255" : "-1"
            #expect(column.values == [fill] && column.fill == fill)
            #expect(column.note.hasPrefix(fill) && column.note.contains("/shards"))
        }
        let all = try await Command.run("/usr/bin/env", ["h5dump", "-d", "/samples/acc", "\(place.path)/\(file.path)"])
        let alone = try await Command.run("/usr/bin/env", ["h5dump", "-d", "/samples/acc", copy])
        func data(_ bytes: [UInt8]) -> Substring {
            let text = String(decoding: bytes, as: UTF8.self)
            return text[(text.firstRange(of: "DATA {")?.lowerBound ?? text.endIndex)...]
        }
        #expect(data(all) == data(alone) && data(all).contains("(0): "))
    }

    @Test func aJobOfMoreShardsThanFilesMayBeOpenIsReadWhole() async throws {
        let place = try await TemporaryStore(inMemory: true)
        let job = try await PublishedJob(in: place, counts: [Int](repeating: 1, count: 1100), mode: .none)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        struct Shown: Decodable {
            var mean: Double
            var ids: Int
            var empty: Int
        }
        let shown = try JSONDecoder().decode(
            Shown.self, from: try await Results.run("limited", "\(place.path)/\(file.path)", "256"))
        let mean = job.samples.reduce(0) { $0 + $1.metrics[0].value } / Double(job.samples.count)
        #expect(abs(shown.mean - mean) < 1e-12 && shown.ids == 1100 && shown.empty == 0)
    }

    @Test func aShardWithoutGenerationsHasNoneInTheJobFile() async throws {
        let place = try await TemporaryStore()
        var all: [SampleResult] = []
        var files: [PublishedFile] = []
        for (index, count) in [4, 3, 5].enumerated() {
            var samples = SampleResult.severalTexts(count, start: all.count, seed: UInt64(index))
            for sample in samples.indices where index != 1 { samples[sample].cluster = "passage \(sample / 2)" }
            if index != 2 { for sample in samples.indices { samples[sample].generations = [] } }
            // As shards of the last release, in a job that a newer worker went on with.
            if index == 0 {
                for sample in samples.indices {
                    for metric in samples[sample].metrics.indices { samples[sample].metrics[metric].epochs = [] }
                }
            }
            let header = ShardHeader.sample(index: index, start: all.count, count: count, mode: .choices)
            files.append(
                try await place.store.publishShard(header, samples: samples, epoch: 1, incarnation: UUID()))
            all += samples
        }
        let file = try await place.store.buildJobFile(runID: "k3f9m2ab", jobID: "k3f9m2ab.1", shards: files)
        let shown = try await Shown("job", "\(place.path)/\(file.path)")
        shown.expect(all, mode: .choices)
        let generations = try #require(shown.generations)
        #expect(generations.offsets == all.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.generations.count) })
        #expect(generations.text == all.flatMap(\.generations).map(\.text))
        #expect(generations.n_tokens == all.flatMap(\.generations).map(\.tokenCount))
        let epochs = try #require(shown.epochs)
        #expect(epochs.offsets == [0, 0, 0, 0] + (0...8).map { $0 * 3 })
        for (number, metric) in all[0].metrics.enumerated() {
            #expect(epochs.values[metric.name] == all.flatMap { $0.metrics[number].epochs })
        }
        #expect(shown.frame.columns.contains("cluster"))
        #expect(try await place.store.verifyJobFile(file, shards: files).isEmpty)
    }

    @Test func weightsThatAShardLeftOutAreOneInTheJobFile() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [3, 4, 5], mode: .none, weighted: [1])
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        let shown = try await Shown("job", "\(place.path)/\(file.path)")
        #expect(shown.frame.metrics["acc_weight"] == job.samples.map { $0.metrics[0].weight })
        #expect(Set(job.samples[..<3].map { $0.metrics[0].weight }) == [1])
    }

    @Test func h5dumpReadsShardAndJobFile() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [4, 3], mode: .tokens)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        for path in [job.files[0].path, file.path] {
            let absolute = "\(place.path)/\(path)"
            let header = String(
                decoding: try await Command.run("/usr/bin/env", ["h5dump", "-H", absolute]), as: UTF8.self)
            #expect(header.contains(#"GROUP "samples""#) && header.contains(#"DATASET "logprob_sum""#))
            let data = try await Command.run("/usr/bin/env", ["h5dump", "-d", "/samples/_index", absolute])
            let text = String(decoding: data, as: UTF8.self)
            #expect(text.contains("sample-0-") && text.contains("sample-3-"))
            #expect(text.contains("sample-6-") == (path == file.path))
        }
    }
}
