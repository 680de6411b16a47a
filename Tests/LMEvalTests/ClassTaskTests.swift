import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

/// Tasks of lm-eval that are Python classes, and tasks whose process_results compares texts.
@Suite struct ClassTaskTests {
    private static func task(_ yaml: String) throws -> EvaluationTask {
        let task = try EvaluationTask(TaskConfiguration(yaml: yaml, file: "t.yaml"))
        return try EvaluationTask(canonicalJSON: task.canonicalJSON)
    }

    @Test func squadCompletion() throws {
        let task = try Self.task("task: squad_completion\nclass: !function squad_completion.task.SQUADCompletion\n")
        #expect(task.configuration.generation == .init(until: ["\n"], maxTokens: 48))
        let row = JSONValue.object(["text": .string(" The capital is "), "value": .string("Paris ")])
        let result = try Answering.score(task, row, texts: ["of course PARIS."])
        #expect(result.prompt == "The capital is" && result.value("contains") == 1)
    }

    @Test func squadVersion2AsksTwice() throws {
        let task = try Self.task("task: squadv2\nclass: !function squadv2.task.SQuAD2\nnum_fewshot: 0\n")
        let row = JSONValue.object([
            "id": .string("x"), "title": .string("T"), "context": .string("C"), "question": .string("Q"),
            "answers": .object(["text": .array([.string("the cat"), .string("a dog")])]),
        ])
        let sample = try task.prepare(Document(row: 0, value: row))
        #expect(sample.requests.count == 2)
        #expect(sample.requests.last == .loglikelihood(context: sample.prompt, continuation: " unanswerable"))
        let result = try Answering.score(task, row, texts: ["Cat"], logProbs: [-2])
        #expect(result.value("exact") == 100 && result.value("NoAns_exact") == 0)
        let terms = try #require(result.metrics.first { $0.name == "best_f1" })
        #expect(terms.termNames == ["has_answer", "is_empty", "no_answer_probability"])
        #expect(result.choices.map(\.text) == [" unanswerable"])
        try task.checkScoring(of: sample)
        // The kept log-likelihood serves again.
        #expect(try task.rescore(sample, result).metrics == result.metrics)
    }

    @Test func truthfulQAGeneration() throws {
        let task = try Self.task(
            """
            task: truthfulqa_gen
            dataset_path: truthfulqa/truthful_qa
            validation_split: validation
            doc_to_text: question
            doc_to_target: " "
            process_docs: !function truthfulqa.utils.process_docs_gen
            process_results: !function truthfulqa.utils.process_results_gen
            metric_list:
              - {metric: bleu_max, aggregation: mean}
              - {metric: rouge1_acc, aggregation: mean}
              - {metric: hit_max_tokens}

            """)
        let row = JSONValue.object([
            "question": .string("Q"), "correct_answers": .array([.string("Nothing happens to you at all.")]),
            "incorrect_answers": .array([.string("You die.")]),
        ])
        let result = try Answering.score(task, row, texts: ["Nothing happens to you at all."])
        #expect(abs((result.value("bleu_max") ?? 0) - 100) < 1e-9)
        #expect(result.value("rouge1_acc") == 1 && result.value("hit_max_tokens") == 0)
    }

    @Test func rowsThatCanNotBeScoredAreRefusedBefore() throws {
        let task = try Self.task(
            """
            task: ifeval
            dataset_path: google/IFEval
            test_split: train
            doc_to_text: prompt
            doc_to_target: 0
            process_results: !function ifeval.utils.process_results
            metric_list:
              - {metric: prompt_level_strict_acc, aggregation: mean}
              - {metric: inst_level_strict_acc, aggregation: !function ifeval.utils.agg_inst_level_acc}

            """)
        #expect(task.metrics.map(\.aggregation) == [.mean, .weightedMean])
        func row(_ instruction: String) -> Document {
            Document(
                row: 2,
                value: .object([
                    "key": .int(1), "prompt": .string("Write."), "instruction_id_list": .array([.string(instruction)]),
                    "kwargs": .array([.object([:])]),
                ]))
        }
        try task.checkScoring(of: try task.prepare(row("punctuation:no_comma")))
        let error = #expect(throws: TaskError.self) {
            try task.checkScoring(of: try task.prepare(row("length:number_words")))
        }
        #expect(error?.message.contains("row 2") == true, "\(error?.message ?? "")")
    }

    /// lm-eval's wikitext names no aggregation: the metrics' own are meant, not means.
    @Test func metricsKeepTheirAggregation() throws {
        let task = try Self.task(
            """
            task: wikitext
            dataset_path: EleutherAI/wikitext_document_level
            output_type: loglikelihood_rolling
            test_split: test
            doc_to_target: !function wikitext.preprocess_wikitext.wikitext_detokenizer
            process_results: !function wikitext.preprocess_wikitext.process_results
            metric_list: [{metric: word_perplexity}, {metric: byte_perplexity}, {metric: bits_per_byte}]

            """)
        #expect(task.metrics.map(\.aggregation) == [.weightedPerplexity, .weightedPerplexity, .bitsPerByte])
        #expect(task.metrics.map(\.higherIsBetter) == [false, false, false])
    }

    @Test func otherClassesAreRefused() {
        let error = #expect(throws: TaskError.self) {
            try TaskConfiguration(yaml: "task: t\nclass: !function squadv2.task.Other\n", file: "t.yaml")
        }
        #expect(error?.message.contains("not built in") == true && error?.line == 2)
        let function = #expect(throws: TaskError.self) {
            try TaskConfiguration(
                yaml: "task: t\nclass: !function squadv2.task.SQuAD2.doc_to_text\n", file: "t.yaml")
        }
        #expect(function?.message.contains("no class") == true)
    }
}
