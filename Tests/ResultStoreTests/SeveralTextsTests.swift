import Evaluation
import Foundation
import ResultStore
import Testing

/// Several texts for each sample, and metrics with terms.
@Suite struct SeveralTextsTests {
    @Test(arguments: LogitsMode.allCases) func everythingReadsBack(mode: LogitsMode) async throws {
        let place = try await TemporaryStore()
        let samples = SampleResult.severalTexts(9, seed: 4)
        let file = try await place.store.publishShard(
            .sample(count: 9, mode: mode), samples: samples, epoch: 1, incarnation: UUID())
        let shard = try await place.store.readShard(file.path, sha256: file.sha256)
        #expect(shard.samples == samples.map { $0.kept(mode) })
        #expect(shard.digest == file.digest)
        let table = try await place.store.readSamples(file.path, sha256: file.sha256)
        #expect(table.metrics[0].termNames == ["gold", "prediction"])
        #expect(table.metrics[0].terms == (0..<2).map { term in samples.map { $0.metrics[0].terms[term] } })
        #expect(table.metrics[1].termNames == [])
        #expect(shard.header.schemaVersion == 3)
    }

    /// What is scored anew from results that do not name their settings; readers of version 1 don't know /epochs.
    @Test func filesWithoutSettingsAreOfTheOldVersions() async throws {
        let place = try await TemporaryStore()
        var header = ShardHeader.sample(count: 3)
        header.settings = nil
        var samples = SampleResult.severalTexts(3, seed: 4)
        let epochs = try await place.store.publishShard(header, samples: samples, epoch: 1, incarnation: UUID())
        #expect(try await place.store.readShard(epochs.path, sha256: epochs.sha256).header.schemaVersion == 2)
        for sample in samples.indices {
            for metric in samples[sample].metrics.indices { samples[sample].metrics[metric].epochs = [] }
        }
        let file = try await place.store.publishShard(header, samples: samples, epoch: 2, incarnation: UUID())
        let shard = try await place.store.readShard(file.path, sha256: file.sha256)
        #expect(
            shard.header.settings == nil && shard.header.schemaVersion == 1
                && shard.samples[2].metrics == samples[2].metrics)
    }

    @Test func metricsOfUnlikeEpochsAreRefused() async throws {
        let place = try await TemporaryStore()
        var samples = SampleResult.severalTexts(3, seed: 4)
        samples[1].metrics[1].epochs.removeLast()
        let error = await #expect(throws: StoreError.self) {
            try await place.store.publishShard(.sample(count: 3), samples: samples, epoch: 1, incarnation: UUID())
        }
        #expect(error?.description.contains(samples[1].sampleID) == true)
    }

    @Test func clustersReadBack() async throws {
        let place = try await TemporaryStore()
        var samples = SampleResult.random(6, seed: 4)
        for index in samples.indices { samples[index].cluster = "passage \(index / 2)" }
        let file = try await place.store.publishShard(
            .sample(count: 6), samples: samples, epoch: 1, incarnation: UUID())
        let shard = try await place.store.readShard(file.path, sha256: file.sha256)
        #expect(shard.samples.map(\.cluster) == samples.map(\.cluster) && shard.digest == file.digest)
        #expect(shard.samples[0].metrics.map(\.name) == samples[0].metrics.map(\.name))
        let table = try await place.store.readSamples(file.path, sha256: file.sha256)
        #expect(table.clusters == samples.compactMap(\.cluster))
    }

    @Test func samplesWithOtherTermsAreRefused() async throws {
        let place = try await TemporaryStore()
        var samples = SampleResult.severalTexts(3, seed: 4)
        samples[1].metrics[0].terms = [1]
        await #expect(throws: StoreError.self) {
            try await place.store.publishShard(.sample(count: 3), samples: samples, epoch: 1, incarnation: UUID())
        }
        var named = SampleResult.random(2, seed: 1, metrics: ["f1:gold"])
        named[0].row = 0
        await #expect(throws: StoreError.self) {
            try await place.store.publishShard(.sample(count: 2), samples: named, epoch: 1, incarnation: UUID())
        }
    }
}
