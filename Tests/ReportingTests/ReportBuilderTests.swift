import Evaluation
import Foundation
import JobQueue
import MemoryQueue
import ResultStore
import Statistics
import Testing

@testable import Reporting

@Suite("Reports of published runs")
struct ReportBuilderTests {
    @Test("A finished run becomes v1; building again changes nothing")
    func build() async throws {
        let published = try await Published()
        try await published.work()
        let built = try await published.builder.build(published.run.id)
        #expect(built.published.version == 1)
        #expect(built.published.isNew)
        #expect(built.report.name.value == "k3f90001")
        #expect(built.report.rebuildCommand == "assay-report build k3f90001")
        #expect(built.absoluteFolder == "\(published.folder.path)/reports/k3f90001/v1")
        #expect(built.resultFiles.count == 2)
        for file in built.resultFiles { #expect(FileManager.default.fileExists(atPath: file)) }

        let again = try await published.builder.build(published.run.id)
        #expect(again.published.version == 1)
        #expect(!again.published.isNew)

        let named = try await published.builder.build(published.run.id, name: ReportName("other"))
        #expect(named.published.version == 1)
        #expect(named.published.isNew)
    }

    @Test("The scores are those of the samples, in the data set's order")
    func scores() async throws {
        let published = try await Published()
        try await published.work()
        let input = try await published.builder.input(published.run.id)
        #expect(input.jobs.map(\.name) == ["k3f90001.0", "k3f90001.1"])
        #expect(input.jobs[0].samples.sampleIDs == ["q0", "q1", "q2", "q3", "q4"])
        #expect(input.jobs[0].samples.metrics.map { $0.values[3] } == [0, -13])
        #expect(input.jobs[0].samples.metrics.map { $0.weights[3] } == [1, 5])
        #expect(input.jobs[0].samples.targets[3] == "3")
        #expect(input.jobs[0].engines == [.init(name: "test", build: "1", deviceKind: "cpu")])
        #expect(input.jobs[0].shardCount == 2)
        let built = try await published.builder.build(published.run.id)
        let scores = try #require(built.report.tasks.first).jobs[0].scores
        #expect(scores[0].estimate.value == 0.4)
        #expect(scores[1].estimate.value == exp(60.0 / 25))
        #expect(built.report.tasks.map(\.title) == ["Quiz"])
    }

    @Test("Equal work under another attempt gives the same report")
    func attempts() async throws {
        let first = try await Published()
        try await first.work()
        let second = try await Published()
        // Taken and given back: what is published then has another epoch and stands in another file.
        let claimed = try await second.queue.claim(second.lease, limit: 1)
        _ = try await second.queue.release(claimed)
        try await second.work()
        let inputs = (
            try await first.builder.input(first.run.id), try await second.builder.input(second.run.id)
        )
        #expect(inputs.0 == inputs.1)
    }

    @Test("A run that is not done is refused, and every open job is named")
    func open() async throws {
        let published = try await Published()
        try await published.work(limit: 3)
        let error = await #expect(throws: ReportError.self) { try await published.builder.build(published.run.id) }
        #expect(error?.code == .notReportable)
        #expect(error?.message.contains("1 of 2 shards done") == true)
        #expect(try published.folder.entries("reports").isEmpty)
    }

    @Test("A result file that was changed is refused")
    func damage() async throws {
        let published = try await Published()
        try await published.work()
        let job = try #require(try await published.queue.jobs(of: published.run.id).first)
        let shard = try #require(try await published.queue.results(of: job.id).first)
        var bytes = try published.folder.read(shard.publication.path)
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(filePath: "\(published.folder.path)/\(shard.publication.path)"), options: .atomic)
        let error = await #expect(throws: StoreError.self) { try await published.builder.build(published.run.id) }
        #expect(error?.code == .corrupt)
        #expect(try published.folder.entries("reports").isEmpty)
    }

    @Test(
        "Shards of another data set, model or task are refused",
        arguments: ["dataset_sha256", "model_sha256", "task_hash"])
    func foreign(name: String) async throws {
        let published = try await Published()
        try await published.work { header in
            switch name {
            case "dataset_sha256": header.datasetSHA256 = Sample.hash("9")
            case "model_sha256": header.modelSHA256 = Sample.hash("9")
            default: header.taskHash = Sample.hash("9")
            }
        }
        let error = await #expect(throws: ReportError.self) { try await published.builder.build(published.run.id) }
        #expect(error?.code == .notReportable)
        #expect(error?.message.contains(name) == true)
    }

    @Test("A sample id that is there twice is refused")
    func duplicate() async throws {
        let published = try await Published()
        try await published.work(sample: { row in
            var sample = Published.sample(row)
            if row == 4 { sample.sampleID = "q1" }
            return sample
        })
        let error = await #expect(throws: ReportError.self) { try await published.builder.build(published.run.id) }
        #expect(error?.message.contains("\"q1\" twice") == true)
    }

    @Test(
        "Results of several engines are reported, and the report says so and who let them in",
        arguments: [true, nil])
    func devices(mixed: Bool?) async throws {
        var specification = Published.specification
        specification.settings.mixed = mixed
        let published = try await Published(specification: try specification.json())
        try await published.work { header in
            if header.shardIndex == 1 { header.deviceKind = "cuda" }
        }
        let built = try await published.builder.build(published.run.id)
        #expect(built.report.tasks[0].jobs[0].job.engines.map(\.deviceKind) == ["cpu", "cuda"])
        let text = try published.folder.read("reports/k3f90001/v1/report.md")
        let reason =
            mixed == true ? "the job file allows that (mixed: allowed)" : "that was allowed after its submission"
        let report = String(decoding: text, as: UTF8.self)
        #expect(report.contains("The results come from 2 different engines, so the numbers depend"))
        #expect(report.contains(reason))
    }

    @Test(
        "Strict jobs whose engine was not say so, and samples that were taken over are named", arguments: [true, false])
    func strict(isKept: Bool) async throws {
        var specification = Published.specification
        specification.settings.invariance = .strict
        let published = try await Published(specification: try specification.json())
        try await published.work { header in
            let level = isKept ? "strict" : "plan"
            header.settings = ResultSettings(
                engine: "{\"invariance\":\"\(level)\"}", promptsHash: Sample.hash("8"))
            if header.shardIndex == 1 { header.reusedFrom = ["m7x20001.0": 1] }
        }
        let built = try await published.builder.build(published.run.id)
        #expect(built.report.tasks[0].jobs[0].job.reusedFrom == ["m7x20001.0": 1])
        let text = try published.folder.read("reports/k3f90001/v1/report.md")
        let report = String(decoding: text, as: UTF8.self)
        #expect(report.contains("The job asks for strict numbers, which a GPU does not give") == !isKept)
        let json = try published.folder.read("reports/k3f90001/v1/report.json")
        #expect(String(decoding: json, as: UTF8.self).contains(#""m7x20001.0": 1"#))
    }

    @Test("A model whose tokenizer is in doubt carries a remark")
    func doubt() async throws {
        var specification = Published.specification
        specification.model.tokenizerDoubt = "llama.cpp guesses how it splits words"
        let published = try await Published(specification: try specification.json())
        try await published.work()
        _ = try await published.builder.build(published.run.id)
        let text = String(decoding: try published.folder.read("reports/k3f90001/v1/report.md"), as: UTF8.self)
        #expect(text.contains("The model's tokenizer is in doubt: llama.cpp guesses how it splits words."))
    }

    @Test("A specification of another kind is one clear error")
    func specification() async throws {
        let published = try await Published(specification: "{}")
        try await published.work()
        let error = await #expect(throws: ReportError.self) { try await published.builder.build(published.run.id) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("k3f90001.0") == true)
    }

    @Test("An unknown run is an error of the queue")
    func unknown() async throws {
        let published = try await Published()
        await #expect(throws: QueueError.self) { try await published.builder.build(RunID("zzzzzzzz")) }
    }
}
