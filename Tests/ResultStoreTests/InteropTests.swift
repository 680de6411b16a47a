import Evaluation
import Foundation
import ResultStore
import Testing

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
    var digest: String?
    var shards: [String]?
    var virtual: [String]?

    init(_ kind: String, _ path: String) async throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        self = try decoder.decode(Shown.self, from: try await Python.run("results.py", kind, path))
    }

    func expect(_ samples: [SampleResult], mode: LogitsMode) {
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
        #expect(self.prompt == samples.map(\.prompt))
        #expect(self.generation == samples.map(\.generation))
        #expect(self.provenance == ["task": "hellaswag"])
        #expect(self.attributes["complete"] == "1" && self.attributes["engine"] == "llama.cpp")
        let choices = samples.flatMap(\.choices)
        #expect((self.choices == nil) == (mode == .none) && (self.tokens == nil) == (mode != .tokens))
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

    @Test func pythonReadsAJobFileThroughItsVirtualDataSets() async throws {
        let place = try await TemporaryStore()
        let job = try await PublishedJob(in: place, counts: [7, 1, 30], mode: .tokens)
        let file = try await place.store.buildJobFile(runID: job.run, jobID: job.job, shards: job.files)
        let shown = try await Shown("job", "\(place.path)/\(file.path)")
        shown.expect(job.samples, mode: .tokens)
        #expect(shown.shards == job.files.map { String($0.path.split(separator: "/")[3]) })
        #expect(shown.virtual?.contains("/samples/acc") == true && shown.virtual?.contains("/tokens/logprob") == true)
        #expect(shown.attributes["digest"] == file.digest && shown.attributes["row_count"] == "38")
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
