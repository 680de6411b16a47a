import JSON
import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import LMEval

/// Texts that are drawn, and metrics of several texts.
@Suite struct SamplingTests {
    private static let yaml = """
        task: t
        dataset_path: json
        dataset_kwargs: {data_files: {test: t.jsonl}}
        test_split: test
        doc_to_text: q
        doc_to_target: a

        """

    private static func read(_ lines: String) throws -> TaskConfiguration {
        try TaskConfiguration(yaml: Self.yaml + lines + "\n", file: "t.yaml")
    }

    /// The known answers of the generator's authors (Random123, kat_vectors).
    @Test func wordsAreThoseOfTheAuthors() {
        #expect(
            Philox.words(counter: [0, 0, 0, 0], key: (0, 0)) == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
        let ones = UInt32.max
        #expect(
            Philox.words(counter: [ones, ones, ones, ones], key: (ones, ones))
                == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
        #expect(
            Philox.words(
                counter: [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], key: (0xa409_3822, 0x299f_31d0))
                == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
    }

    @Test func everyTextHasNumbersOfItsOwn() {
        var known: Set<Double> = []
        for (seed, task) in [(1, 0), (2, 0), (1, 9), (1, .max)] as [(UInt64, UInt32)] {
            for row in 0..<5 {
                for number in 0..<4 {
                    for position in 0..<6 {
                        let unit = RandomStream(seed: seed, task: task, row: row, repeat: number).unit(at: position)
                        #expect(unit >= 0 && unit < 1 && known.insert(unit).inserted)
                    }
                }
            }
        }
    }

    @Test func samplingIsReadWithItsDefaults() throws {
        #expect(try Self.read("").generation?.sampling == nil)
        #expect(try Self.read("generation_kwargs: {do_sample: false, temperature: 0.7}").generation?.sampling == nil)
        #expect(try Self.read("generation_kwargs: {do_sample: false, temperature: 0.7}").notes.count == 1)
        #expect(try Self.read("generation_kwargs: {temperature: 0.5}").generation?.sampling == .init(temperature: 0.5))
        // YAML takes these for texts; lm-eval turns them into numbers.
        let texts = try Self.read(
            "generation_kwargs: {temperature: 1e-1, max_completion_tokens: 32.0, max_gen_toks: '32'}"
        ).generation
        #expect(texts?.sampling == .init(temperature: 0.1) && texts?.maxTokens == 32)
        let full = try Self.read(
            "generation_kwargs: {do_sample: true, temperature: 1, top_k: 40, top_p: 0.9, min_p: 0.1, seed: 7}")
        #expect(full.generation?.sampling == .init(temperature: 1, topK: 40, topP: 0.9, minP: 0.1, seed: 7))
        let task = try EvaluationTask(full)
        #expect(try EvaluationTask(canonicalJSON: task.canonicalJSON).configuration.generation == full.generation)
    }

    @Test(arguments: [
        ("metric_list: [{metric: pass@2}]", "pass@2 needs 2 texts"),
        ("repeats: 4\nmetric_list: [{metric: pass@5}]", "pass@5 needs 5 texts"),
        ("metric_list: [{metric: pass@0}]", "one of acc, acc_norm"),
        (
            "repeats: 4\nmetric_list: [{metric: majority@3}]\nfilter_list: [{name: f, filter: [{function: take_first}]}]",
            "needs all texts of a row"
        ),
        ("repeats: 2\nfilter_list: [{name: f, filter: [{function: take_first_k, k: 3}]}]", "takes 3 texts"),
    ])
    func moreTextsThanThereAreAreRefused(lines: String, hint: String) {
        let error = #expect(throws: TaskError.self) { try Self.read(lines) }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test func eachTextIsARequestOfItsOwn() throws {
        let task = try EvaluationTask(
            try Self.read("repeats: 3\ngeneration_kwargs: {temperature: 1}\nmetric_list: [{metric: pass@2}]"))
        let document = Document(row: 5, value: .object(["q": .string("Q"), "a": .string("A")]))
        let sample = try task.prepare(document)
        let streams = sample.requests.map { request -> RandomStream? in
            guard case .generate(_, _, _, let sampling, _) = request else { return nil }
            return sampling?.stream
        }
        // The first bytes of the SHA-256 of "t", the task's name.
        #expect(streams == (0..<3).map { RandomStream(seed: 1234, task: 0xe3b9_8a4d, row: 5, repeat: $0) })
        // Greedy texts are the same, and that is said.
        #expect(try Self.read("repeats: 3").notes.count == 1)
    }

    @Test func severalTextsAreScoredTogether() throws {
        let task = try EvaluationTask(
            try Self.read(
                """
                repeats: 5
                generation_kwargs: {temperature: 1}
                metric_list: [{metric: exact_match, ignore_case: true}, {metric: pass@1}, {metric: pass@3}, {metric: majority@5},
                  {metric: majority@1}]
                """))
        let document = Document(row: 0, value: .object(["q": .string("Q"), "a": .string("yes")]))
        let sample = try task.prepare(document)
        let texts = ["no", "yes", "yes", "YES", "no way"]
        let result = try task.score(
            sample, requests: texts.map { _ in [.generate(GenerationRequest(prompt: [1], stop: [], maxTokens: 9))] },
            responses: texts.map {
                [.generation(Generation(tokens: [1], tokenLogProbs: [-1], text: $0, finishReason: .stop))]
            }, logitsMode: .none)
        // Two of five equal it; three where letters' case is ignored.
        #expect(zip(result.metrics.map(\.value), [0.6, 0.4, 0.9, 1, 0]).allSatisfy { abs($0 - $1) < 1e-15 })
        #expect(result.generations.map(\.text) == texts && result.generation == "no")
        #expect(result.metrics.map(\.name) == ["exact_match", "pass@1", "pass@3", "majority@5", "majority@1"])
    }

    @Test func passAtKIsTheShareOfDraws() {
        // Of 5 texts 2 are right: of the 10 pairs 3 have none of them.
        #expect(TextComparison.passAt(2, of: 5, right: 2) == 1 - 3.0 / 10)
        #expect(TextComparison.passAt(4, of: 5, right: 2) == 1)
        #expect(TextComparison.passAt(1, of: 5, right: 0) == 0)
        #expect(TextComparison.passAt(6, of: 5, right: 2) == nil)
        #expect(abs((TextComparison.passAt(100, of: 200, right: 1) ?? 0) - 0.5) < 1e-12)
    }

    @Test func metricsAreReadAsTheyAreWritten() {
        for metric in Metric.allCases + [.pass(at: 10), .majority(at: 64)] {
            #expect(Metric(rawValue: metric.rawValue) == metric)
        }
        for name in ["pass@", "pass@01", "pass@-1", "majority@x", "pass", "pass@1@2", "acc "] {
            #expect(Metric(rawValue: name) == nil)
        }
    }
}
