import Evaluation
import Reporting
import Statistics
import Testing

@Suite("Reports from inputs")
struct ReportTests {
    let name: ReportName

    init() throws { self.name = try ReportName("demo") }

    func report(_ jobs: [JobInput]) throws -> Report {
        try Report(
            .init(runID: "k3f9", runName: "demo", project: "default", jobs: jobs), name: self.name,
            toolVersion: Sample.toolVersion)
    }

    @Test("Jobs of the same task stand together, in the run's order")
    func grouping() throws {
        let report = try self.report(Sample.run.jobs)
        #expect(report.tasks.map(\.task.name) == ["hellaswag", "gsm8k", "prose"])
        #expect(
            report.tasks.map { $0.jobs.map(\.job.name) } == [["k3f9.1", "k3f9.4"], ["k3f9.2"], ["k3f9.3", "k3f9.5"]])
    }

    @Test("Another task hash or data set is another task")
    func comparable() throws {
        var jobs = [Sample.run.jobs[0], Sample.run.jobs[3], Sample.run.jobs[3]]
        jobs[1].task.hash = Sample.hash("9")
        jobs[2].datasetSHA256 = Sample.hash("8")
        #expect(try self.report(jobs).tasks.count == 3)
    }

    @Test func scores() throws {
        let scores = try self.report(Sample.run.jobs).tasks[0].jobs[0].scores
        #expect(scores.map(\.metric.name) == ["acc", "acc_norm"])
        #expect(scores[0].estimate.value == 17.0 / 50)
        #expect(scores[0].estimate.method == .proportion)
    }

    @Test("Every aggregation calls its own estimate")
    func aggregations() throws {
        let rows = [(-3.0, 2.0), (-8.0, 4.0), (-5.0, 3.0)]
        let aggregations: [Aggregation] = [.mean, .perplexity, .weightedPerplexity, .bitsPerByte, .median, .bleu]
        let terms = [
            [1.0, 9, 9, 9, 8, 7, 6, 9, 8, 7], [1.0, 9, 9, 5, 3, 2, 1, 9, 8, 7], [1.0, 9, 9, 7, 5, 3, 1, 9, 8, 7],
        ]
        let metrics = aggregations.map {
            MetricDefinition(
                name: $0.rawValue, metric: .perplexity, filter: "none", aggregation: $0, higherIsBetter: false)
        }
        let samples = rows.enumerated().map { number, row in
            SampleRow(
                sampleID: "\(number)", values: Array(repeating: row.0, count: aggregations.count),
                weights: Array(repeating: row.1, count: aggregations.count),
                terms: aggregations.map { $0.terms.isEmpty ? [] : terms[number] })
        }
        let weighted = rows.map { WeightedValue(value: $0.0, weight: $0.1) }
        let job = Sample.job("k3f9.1", task: .init(name: "t", hash: "h"), metrics: metrics, samples: samples)
        let estimates = try self.report([job]).tasks[0].jobs[0].scores.map(\.estimate)
        let perplexity = Estimate.perplexity(ofLogLikelihoods: rows.map(\.0))
        #expect(estimates[0] == .mean(of: rows.map(\.0)))
        #expect(estimates[1].value == perplexity.value && estimates[1].interval != nil)
        #expect(estimates[1].method == .bootstrapLog && estimates[1].standardError != perplexity.standardError)
        #expect(estimates[2] == .weightedPerplexity(ofLogLikelihoods: weighted))
        #expect(estimates[3] == .bitsPerByte(ofLogLikelihoods: weighted))
        #expect(estimates[4].value == -5 && estimates[4].method == .quantile)
        #expect(estimates[5].value.map { $0 > 0 && $0 < 100 } == true && estimates[5].standardError != nil)
    }

    @Test func health() throws {
        let report = try self.report(Sample.run.jobs)
        let generated = report.tasks[1].jobs[0].health
        #expect(generated.unparsed == 10)
        #expect(generated.hitMaxTokens == 8)
        #expect(generated.truncated == 1)
        #expect(generated.share(10) == 0.25)
        let scored = report.tasks[0].jobs[0].health
        #expect(scored.unparsed == nil)
        #expect(scored.hitMaxTokens == nil)
        #expect(scored.truncated == 0)
        #expect(scored.promptTokens == (80..<130).reduce(0, +))
    }

    @Test("A run without jobs, a job without metrics and a ragged sample are refused")
    func refused() {
        let error = #expect(throws: ReportError.self) { try self.report([]) }
        #expect(error?.code == .notReportable)
        var job = Sample.run.jobs[0]
        job.metrics = []
        #expect(throws: ReportError.self) { try self.report([job]) }
        job = Sample.run.jobs[0]
        job.samples.metrics[1].values.removeLast()
        let ragged = #expect(throws: ReportError.self) { try self.report([job]) }
        #expect(ragged?.message.contains("49 values and 50 weights for 50 samples") == true)
    }

    @Test("A job without samples, with one sample or with NaN is reported with the reason")
    func gaps() throws {
        for (values, note) in [
            ([], "There are no samples."), ([0.5], "One sample has no standard error."),
            ([0.5, .nan], "1 sample has a value that is not a finite number"),
        ] as [([Double], String)] {
            var job = Sample.run.jobs[0]
            job.metrics = [Sample.accuracy(.acc)]
            job.samples = SampleColumns(
                values.enumerated().map { SampleRow(sampleID: "\($0)", values: [$1], weights: [1]) },
                metrics: 1)
            let input = ReportInput(runID: "k3f9", runName: "demo", project: "default", jobs: [job])
            let files = try ReportFiles(input, name: self.name, toolVersion: Sample.toolVersion)
            for file in ["report.json", "report.md", "report.html"] {
                let text = String(decoding: try #require(files.contents[file]), as: UTF8.self)
                #expect(text.contains(note), "\(file)")
                #expect(file == "report.json" || text.contains("n/a"), "\(file)")
                #expect(!text.contains(" nan"), "\(file)")
            }
        }
    }

    @Test("Samples' files never share a name")
    func fileNames() throws {
        var jobs = Array(repeating: Sample.run.jobs[0], count: 5)
        for (index, name) in ["a/b", "a_b", "A_B", "a b", ""].enumerated() {
            jobs[index].task.name = name
            jobs[index].name = "same"
        }
        let files = try self.report(jobs).tasks.flatMap(\.jobs).map(\.samplesFile)
        #expect(Set(files.map { $0.lowercased() }).count == 5)
        #expect(files.allSatisfy { $0.hasSuffix(".csv") && !$0.contains("/") && !$0.hasPrefix(".") })
    }

    @Test("The rebuild command names the report only where it is not the run's")
    func rebuild() throws {
        let report = try self.report(Sample.run.jobs)
        #expect(report.rebuildCommand == "assay-report build k3f9 --name demo")
        let plain = try Report(Sample.run, name: ReportName("k3f9"), toolVersion: "1")
        #expect(plain.rebuildCommand == "assay-report build k3f9")
    }
}
