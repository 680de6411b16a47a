import Evaluation
import Foundation
import ResultStore
import Testing

@Suite struct ShardRoundTripTests {
    @Test(arguments: LogitsMode.allCases, [1, 2, 37, 3000])
    func samplesReadBackAsTheyWere(mode: LogitsMode, count: Int) async throws {
        let place = try await TemporaryStore()
        for weighted in [false, true] {
            let samples = SampleResult.random(count, seed: UInt64(count), weighted: weighted)
            let header = ShardHeader.sample(index: weighted ? 1 : 0, count: count, mode: mode)
            let file = try await place.store.publishShard(header, samples: samples, epoch: 3, incarnation: UUID())
            let shard = try await place.store.readShard(file.path, sha256: file.sha256)
            #expect(shard.header == header && header.schemaVersion == 3)
            #expect(shard.samples == samples.map { $0.kept(mode) })
            #expect(shard.digest == file.digest)
            let table = try await place.store.readSamples(file.path, sha256: file.sha256)
            #expect(table.sampleIDs == samples.map(\.sampleID) && table.rows == samples.map(\.row))
            #expect(table.metrics.map(\.name) == ["acc", "acc_norm,none"])
            #expect(table.metrics[1].values == samples.map { $0.metrics[1].value })
            #expect(table.metrics[1].weights == samples.map { $0.metrics[1].weight })
            #expect(table.finishReasons == samples.map(\.finishReason))
        }
    }

    @Test func theSameInputGivesTheSameBytes() async throws {
        let place = try await TemporaryStore()
        let samples = SampleResult.random(200, seed: 1)
        let header = ShardHeader.sample(count: 200)
        let first = try await place.store.publishShard(header, samples: samples, epoch: 1, incarnation: UUID())
        let second = try await place.store.publishShard(header, samples: samples, epoch: 2, incarnation: UUID())
        #expect(first.path != second.path)
        #expect(first.sha256 == second.sha256 && first.digest == second.digest)
        #expect(try place.bytes(first.path) == place.bytes(second.path))
    }

    @Test func theDigestIsOfTheWorkAndNotOfTheRun() async throws {
        let place = try await TemporaryStore()
        let samples = SampleResult.random(10, seed: 1)
        func digest(_ header: ShardHeader, _ samples: [SampleResult]) async throws -> String {
            try await place.store.publishShard(header, samples: samples, epoch: 1, incarnation: UUID()).digest
        }
        let original = try await digest(.sample(count: 10), samples)
        #expect(try await digest(.sample(run: "other", count: 10, provenance: "{}"), samples) == original)
        var changed = samples
        changed[3].metrics[0].value += 1e-12
        #expect(try await digest(.sample(count: 10), changed) != original)
        changed = samples
        changed[3].prompt += "."
        #expect(try await digest(.sample(count: 10), changed) != original)
        var header = ShardHeader.sample(count: 10)
        header.engineBuild = "b6001"
        #expect(try await digest(header, samples) != original)
        #expect(try await digest(.sample(start: 10, count: 10), samples) != original)
        header = .sample(count: 10)
        header.settings?.engine = "{}"
        #expect(try await digest(header, samples) != original)
        header = .sample(count: 10)
        header.settings?.promptsHash = ""
        #expect(try await digest(header, samples) != original)
        header.settings = nil
        #expect(try await digest(header, samples) != original)
    }

    @Test func everyNaNIsTheSame() async throws {
        let place = try await TemporaryStore()
        func publish(_ number: Double, _ token: Float) async throws -> PublishedFile {
            var samples = SampleResult.random(2, seed: 1)
            samples[0].metrics[0].value = number
            samples[0].tokens = [TokenResult(tokenID: 1, logProb: token, isPrompt: true, request: 0)]
            return try await place.store.publishShard(
                .sample(count: 2), samples: samples, epoch: 1, incarnation: UUID())
        }
        let first = try await publish(.nan, .nan)
        let second = try await publish(Double(nan: 77, signaling: false), -Float.nan)
        #expect(first.sha256 == second.sha256 && first.digest == second.digest)
    }

    @Test func aNulInAnAnswerIsShownInTheFrameAndKeptInTheText() async throws {
        let place = try await TemporaryStore()
        var samples = SampleResult.random(1, seed: 1)
        samples[0].prediction = "4\02"
        samples[0].generation = "It is 4\02"
        let file = try await place.store.publishShard(
            .sample(count: 1), samples: samples, epoch: 1, incarnation: UUID())
        let read = try await place.store.readShard(file.path, sha256: file.sha256).samples[0]
        #expect(read.prediction == "4\u{2400}2")
        #expect(read.generation == "It is 4\02")
    }
}
