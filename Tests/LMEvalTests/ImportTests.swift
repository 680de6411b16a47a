import Testing

@testable import LMEval

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What becomes of lm-eval's task files.
@Suite struct ImportTests {
    private static let task = """
        task: t
        dataset_path: some/where
        dataset_name: en
        test_split: test
        output_type: generate_until
        doc_to_text: "{{q.strip()}}"
        doc_to_target: a

        """

    private static func imported(_ yaml: String, _ files: [String: String] = [:]) throws -> ImportedFile {
        let folder = FileManager.default.temporaryDirectory.path() + "/import-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, content) in files.merging(["t.yaml": yaml], uniquingKeysWith: { first, _ in first }) {
            try Data(content.utf8).write(to: URL(filePath: folder + "/" + name))
        }
        return ImportedFile(path: folder + "/t.yaml")
    }

    @Test func tasksRunAsTheyAre() throws {
        let file = try Self.imported(Self.task + "metric_list: [{metric: bleu, ignore_case: true}]\n")
        #expect(file.outcome == .pure && file.task == "t" && file.reason == nil && file.callsNoPython)
        #expect(file.notes == ["ignore_case has no effect on bleu, as in lm-eval"])
    }

    @Test func laterIncludesWin() throws {
        let file = try Self.imported(
            "include: [a, b]\ntask: t\n",
            ["a": Self.task + "repeats: 2\n", "b": "repeats: 0\n"])
        #expect(file.outcome == .refused && file.reason?.contains("/b:1:10: repeats is 0") == true, "\(file)")
        let again = try Self.imported("include: [a, t.yaml]\ntask: t\n", ["a": Self.task])
        #expect(again.reason?.contains("5 deep") == true, "\(again)")
        let many = try Self.imported(
            "include: [\(Array(repeating: "a", count: 70).joined(separator: ", "))]\n", ["a": "x: 1\n"])
        #expect(many.reason?.contains("more than 64 files") == true)
    }

    @Test func groupsNameTheirMembers() throws {
        let file = try Self.imported(
            """
            group: g
            group_alias: G
            task: [a, {task: b, num_fewshot: 3}, {group: c, task: [d]}]
            aggregate_metric_list: [{metric: acc, weight_by_size: false, filter_list: none}]
            metadata: {version: 1}
            """)
        #expect(file.outcome == .group && file.names == ["a", "b", "c"] && file.task == "g")
        let median = try Self.imported(
            "group: g\ntask: [a]\naggregate_metric_list: [{metric: acc, aggregation: median}]\n")
        #expect(median.reason?.contains("means only") == true)
    }

    @Test func filesWithoutATaskAreTemplates() throws {
        #expect(try Self.imported("dataset_path: x\n").outcome == .template)
    }

    @Test func functionsMustBeThoseOfLMEval() throws {
        let yaml = Self.task + "process_docs: !function hellaswag.utils.process_docs\n"
        let known = try Self.imported(yaml)
        #expect(known.outcome == .native && known.names == ["hellaswag.utils.process_docs"] && !known.callsNoPython)
        let other = try Self.imported(
            Self.task + "process_docs: !function utils.process_docs\n", ["utils.py": "import os\n"])
        #expect(other.outcome == .refused)
        #expect(other.reason?.contains("t.yaml:8:15: !function utils.process_docs") == true, "\(other)")
        #expect(other.reason?.contains("not one of the files of lm-eval 0.4.13") == true)
        let unknown = try Self.imported(Self.task + "process_results: !function my.results\n")
        #expect(unknown.reason?.contains("write a Jinja template") == true)
        // A function of another kind.
        let wrong = try Self.imported(
            Self.task + "filter_list: [{name: f, filter: [{function: !function drop.utils.process_docs}]}]\n")
        #expect(wrong.reason?.contains("is no filter") == true, "\(wrong)")
    }

    @Test func whatTemplatesDoNotHaveIsNamed() throws {
        let file = try Self.imported(Self.task.replacing("q.strip()", with: "q.explode()"))
        #expect(file.reason?.contains("nothing has a method 'explode'") == true, "\(file)")
    }

    @Test func classesThatAreNotBuiltInCountAsPython() throws {
        let file = try Self.imported("task: t\nclass: !function task.Other\n", ["task.py": "class Other: pass\n"])
        #expect(file.outcome == .refused && !file.callsNoPython)
        let known = try Self.imported("task: t\nclass: !function squadv2.task.SQuAD2\n")
        #expect(known.outcome == .native && known.names == ["squadv2.task.SQuAD2"])
    }
}
