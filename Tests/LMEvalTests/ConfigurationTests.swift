import OrderedCollections
import Testing

@testable import Datasets
@testable import Evaluation
@testable import JSON
@testable import LMEval

@Suite struct ConfigurationTests {
    static let minimal = """
        task: t
        dataset_path: json
        dataset_kwargs: {data_files: {test: t.jsonl}}
        test_split: test
        output_type: multiple_choice
        doc_to_text: "{{q}}"
        doc_to_choice: choices
        doc_to_target: label

        """
    static let generating = """
        task: t
        dataset_path: json
        dataset_kwargs: {data_files: {test: t.jsonl}}
        test_split: test
        doc_to_text: "{{q}}"
        doc_to_target: a

        """

    private static func read(_ yaml: String) throws(TaskError) -> TaskConfiguration {
        try TaskConfiguration(yaml: yaml, file: "tasks/t.yaml")
    }

    @Test func defaultsAreThoseOfLMEval() throws {
        let task = try Self.read(Self.minimal)
        #expect(task.name == "t")
        #expect(task.outputType == .multipleChoice)
        #expect(task.targetDelimiter == " ")
        #expect(task.fewShotDelimiter == "\n\n")
        #expect(task.metrics.map(\.metric) == [.acc, .accNorm])
        #expect(task.generation == nil)
        #expect(task.fewShot.count == 0)
        #expect(task.version == "")
        let generating = try Self.read(Self.generating)
        #expect(generating.outputType == .generateUntil)
        #expect(generating.generation == .init(until: ["\n\n"], maxTokens: 256))
        #expect(generating.metrics.map(\.metric) == [.exactMatch])
        let task2 = try Self.read(Self.generating + "metadata: {version: 1.0}\ntag: x\ntask_alias: T\n")
        #expect(task2.version == "1.0")
        #expect(task2.tags == ["x"])
        #expect(task2.alias == "T")
    }

    /// Each line is put behind the minimal task (9 lines with the empty one not counted: it starts at line 9 or 7).
    @Test(arguments: [
        ("doc_to_txt: x", TaskError.Code.unknownKey, 9, 1, "did you mean doc_to_text?"),
        ("colour: x", .unknownKey, 9, 1, "known keys are"),
        ("process_docs: !function utils.process", .unsupported, 9, 15, "Assay runs no Python"),
        ("process_docs: x", .unsupported, 9, 1, "prepare the data file"),
        ("num_fewshot: 5\nfewshot_config: {sampler: balanced}", .invalidValue, 10, 27, "one of default, first_n"),
        ("num_fewshot: 2\nfewshot_config: {samples: [{q: 1}]}", .invalidValue, 10, 17, "lists 1 samples"),
        ("num_fewshot: five", .invalidValue, 9, 14, "an integer from 0 to 1000"),
        ("target_delimiter: 3", .invalidValue, 9, 19, "it must be a string"),
        ("metric_list: [{metric: accuracy}]", .invalidValue, 9, 24, "one of acc, acc_norm"),
        ("metric_list: [{metric: acc, aggregation: bleu}]", .unsupported, 9, 15, "only by mean"),
        ("metric_list: [{metric: perplexity}]", .invalidValue, 9, 15, "multiple_choice has no metric perplexity"),
        ("metric_list: [{metric: acc}, {metric: acc}]", .invalidValue, 9, 30, "twice"),
        ("metric_list: [{metric: acc, agregation: mean}]", .unknownKey, 9, 29, "did you mean aggregation?"),
        ("generation_kwargs: {until: [x]}", .invalidValue, 9, 20, "generate_until"),
        ("filter_list: []", .invalidValue, 9, 14, "a list of {name, filter}"),
        ("filter_list: [{name: a, filter: [{function: lowercase}]}]", .unsupported, 9, 34, "generate_until"),
        ("repeats: 0", .invalidValue, 9, 10, "an integer from 1"),
        ("dataset_name: main", .unsupported, 9, 1, "remove the key"),
        ("description: '{{ x'", .invalidTemplate, 9, 14, "line 1, column 1 of the template"),
        ("description: [a]", .invalidValue, 9, 14, "a list"),
        ("tag: [1]", .invalidValue, 9, 7, "a list of strings"),
        ("a: [", .invalidYAML, 10, 1, "not valid YAML"),
        ("fewshot_config: {fewshot_indices: [-1]}", .invalidValue, 9, 36, "a list of row numbers"),
        ("<<: 1", .invalidYAML, 9, 5, "behind << must stand a mapping"),
        ("task: again\ncolour: x", .unknownKey, 10, 1, "known keys are"),
        ("? [a]\n: b", .unsupported, 9, 3, "plain text"),
    ])
    func errorsNamePlaceAndRemedy(line: String, code: TaskError.Code, at row: Int, column: Int, hint: String) {
        let error = #expect(throws: TaskError.self) { try Self.read(Self.minimal + line + "\n") }
        #expect(error?.code == code)
        #expect(error?.file == "tasks/t.yaml")
        #expect(error?.line == row)
        #expect(error?.column == column)
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
        #expect(error?.description.hasPrefix("tasks/t.yaml:\(row):\(column): ") == true)
    }

    @Test(arguments: [
        ("generation_kwargs: {do_sample: true}", "temperature must be above 0"),
        ("generation_kwargs: {temperature: 0.7, top_p: 0}", "above 0 and at most 1"),
        ("generation_kwargs: {temperature: 0.7, min_p: 2}", "from 0 to 1"),
        ("generation_kwargs: {temperature: 0.7, top_k: -2}", "0 for all"),
        ("generation_kwargs: {temperature: x}", "a number"),
        ("generation_kwargs: {num_beams: 4}", "beam search is not available"),
        ("generation_kwargs: {repetition_penalty: 1.2}", "penalties are not available"),
        ("generation_kwargs: {until: ['']}", "empty string"),
        ("generation_kwargs: {max_gen_toks: 0}", "an integer from 1"),
        ("filter_list: [{name: a, filter: [{function: custom}]}]", "name a function that is built in"),
        ("filter_list: [{name: a, filter: [{function: take_first_k}]}]", "how many of the texts"),
        ("filter_list: [{name: a, filter: [{function: map}]}]", "mapping_dict: {A: yes"),
        ("filter_list: [{name: 'a:b', filter: []}]", "without commas"),
        ("metric_list: [{metric: bleu, hf_evaluate: true}]", "loads Python code"),
        ("filter_list: [{name: a, filter: [{function: regex, regex_pattern: '('}]}]", "the regular expression"),
        ("filter_list: [{name: a, filter: [{function: take_first}, {function: regex}]}]", "must be the last"),
        ("filter_list: [{name: a, filter: []}, {name: a, filter: []}]", "twice"),
        ("metric_list: [{metric: exact_match, regexes_to_ignore: ['[']}]", "no ]"),
        ("metric_list: [{metric: exact_match, ignore_case: 1}]", "true or false"),
    ])
    func whatCanNotBeGeneratedIsRefused(line: String, hint: String) {
        let error = #expect(throws: TaskError.self) { try Self.read(Self.generating + line + "\n") }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
        #expect(error?.line == 7)
    }

    @Test(arguments: [
        ("dataset_path: json", "dataset_path: text", "make JSON Lines of the files"),
        ("dataset_kwargs: {data_files: {test: t.jsonl}}", "dataset_kwargs: {data_files: t.jsonl}", "is train"),
        ("dataset_kwargs: {data_files: {test: t.jsonl}}", "dataset_kwargs: {trust_remote_code: true}", "data_files"),
        ("test_split: test", "training_split: test", "name the split that is evaluated"),
        ("test_split: test", "test_split: tset", "data_files names test"),
        ("task: t", "group: t", "has no task"),
        ("doc_to_target: label", "metadata: {}", "has no doc_to_target"),
        ("doc_to_target: label", "doc_to_target: [{}]", "any of which is right"),
        ("doc_to_choice: choices", "doc_to_choice: [yes, no]", "quote numbers, yes and no"),
        ("doc_to_choice: choices", "tag: x", "has no doc_to_choice"),
        ("output_type: multiple_choice", "output_type: multiple_choices", "did you mean multiple_choice?"),
    ])
    func whatIsNeededIsAskedFor(old: String, new: String, hint: String) {
        let yaml = Self.minimal.replacing(old, with: new)
        let error = #expect(throws: TaskError.self) { try Self.read(yaml) }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test func choicesMayBeAListOrAMapping() throws {
        let list = try Self.read(Self.minimal.replacing("doc_to_choice: choices", with: "doc_to_choice: ['yes', b]"))
        #expect(list.docToChoice == .list(["yes", "b"]))
        let mapping = try Self.read(
            Self.minimal.replacing("doc_to_choice: choices", with: "doc_to_choice: {a: 'no', b: B}"))
        #expect(mapping.docToChoice == .list(["no", "B"]))
    }

    @Test func scalarsAreReadAsPyYAMLReadsThem() throws {
        let yaml = "{a: 0x1F, b: 012, c: 1_000, d: 1.50, e: yes, f: ~, g: '1', h: 2020-01-01, i: -7, j: off}"
        let task = try Self.read(Self.generating + "metadata: \(yaml)\n")
        #expect(
            task.metadata
                == .object([
                    "a": .int(31), "b": .int(10), "c": .int(1000), "d": .double(1.5), "e": .bool(true), "f": .null,
                    "g": .string("1"), "h": .string("2020-01-01"), "i": .int(-7), "j": .bool(false),
                ]))
    }

    /// What PyYAML 6 with libyaml reads.
    @Test(
        arguments: [
            // Integers: octal without o, sixties, any size.
            ("010", JSONValue.int(8)), ("0o10", .string("0o10")), ("08", .string("08")), ("0b101", .int(5)),
            ("-0x1F", .int(-31)),
            ("1:30", .int(90)), ("-1:30", .int(-90)), ("12:30:45", .int(45_045)), ("0:30", .string("0:30")),
            ("1:60", .string("1:60")), ("1_000", .int(1000)), ("+1", .int(1)),
            ("12345678901234567890", .string("12345678901234567890")),
            ("-0xFFFFFFFFFFFFFFFFFF", .string("-4722366482869645213695")),
            ("1:0:0:0:0:0:0:0:0:0:0:0:0", .string("2176782336000000000000")),
            // Floats: a point and a sign of the exponent are needed.
            ("1e3", .string("1e3")), ("1.0e3", .string("1.0e3")), ("1.0e+3", .double(1000)), (".5", .double(0.5)),
            ("-.5", .string("-.5")), ("1.", .double(1)), ("1:30.5", .double(90.5)), ("1_0.5", .double(10.5)),
            (".inf", .string("inf")), ("-.INF", .string("-inf")), (".NaN", .string("nan")), (".Nan", .string(".Nan")),
            ("1.0e+400", .string("inf")),
            // Booleans, null, dates and what is none of these.
            ("y", .string("y")), ("Off", .bool(false)), ("oFF", .string("oFF")), ("Null", .null),
            ("nULL", .string("nULL")),
            ("2024-01-01", .string("2024-01-01")), ("2024-1-1", .string("2024-1-1")),
            ("2001-12-14t21:59:43.10-05:00", .string("2001-12-14 21:59:43.100000-05:00")),
            ("2001-12-15 2:59:43.1", .string("2001-12-15 02:59:43.100000")), ("=", .string("=")),
            ("!!str 5", .string("5")),
            ("!!int '7'", .int(7)), ("!!float 1", .double(1)), ("!!binary aGkn", .string("b\"hi'\"")),
            ("'010'", .string("010")),
            ("!!set {a, b}", .array([.string("a"), .string("b")])),
            ("!!omap [a: 1, b: 2]", .array([.array([.string("a"), .int(1)]), .array([.string("b"), .int(2)])])),
        ] as [(String, JSONValue)])
    func metadataIsReadAsPyYAMLReadsIt(text: String, value: JSONValue) throws {
        let task = try Self.read(Self.generating + "metadata: {x: \(text)}\n")
        #expect(task.metadata["x"] == value)
        let stored = try EvaluationTask(task)
        #expect(try EvaluationTask(canonicalJSON: stored.canonicalJSON).taskHash == stored.taskHash)
    }

    @Test(arguments: ["2024-13-01", "!!int x", "!!bool maybe", "0b_", "!!python/none x", "!x 1"])
    func whatPyYAMLRefusesIsRefused(text: String) {
        let error = #expect(throws: TaskError.self) { try Self.read(Self.generating + "metadata: {x: \(text)}\n") }
        #expect(error?.line == 7 && error?.column == 15)
    }

    @Test func keysThatAreThereTwiceAreNoted() throws {
        let yaml =
            Self.generating + "doc_to_text: é{{q}}\n\"target_delimiter\": 'a'\nmetadata: {a: 1, 'a': 2, b: 3, a: 4}\n"
        let task = try Self.read(yaml + "'target_delimiter': '='\ndoc_to_text: \"last {{q}}\"\n")
        #expect(task.docToText == .text("last {{q}}"))
        #expect(task.targetDelimiter == "=")
        #expect(task.metadata == .object(["a": .int(4), "b": .int(3)]))
        #expect(
            task.notes.contains(
                "the key doc_to_text is there twice (lines 5 and 7); the last one counts, as in lm-eval"))
        #expect(task.notes.filter { $0.contains("there twice") }.count == 4)
        // Places are those of the file.
        let error = #expect(throws: TaskError.self) {
            try Self.read(Self.generating + "metadata: {a: 1, a: 2, b: !x 3}\n")
        }
        #expect(error?.line == 7 && error?.column == 27, "\(String(describing: error))")
        let many = (0..<60).map { _ in "a: 1\n" }.joined()
        #expect(throws: TaskError.self) { try Self.read(many) }
    }

    @Test func mappingsAreMerged() throws {
        let yaml =
            Self.generating + """
                metadata:
                  one: &one {k1: 1, k2: 2, a: 1}
                  two: &two {k2: 3, k3: 4, a: 2}
                  own: {k1: 0, <<: [*one, *two], k4: 5}
                  more: {<<: *two, <<: *one}
                """
        let metadata = try Self.read(yaml).metadata
        // Of texts of several letters PyYAML 6.0.4 takes the last mapping's, of one letter the first one's.
        #expect(metadata["own"]?.text() == "{\"k1\":0,\"k2\":3,\"a\":1,\"k3\":4,\"k4\":5}")
        #expect(metadata["more"]?.text() == "{\"k2\":2,\"k3\":4,\"a\":2,\"k1\":1}")
        let task = try Self.read(
            "base: &b {dataset_path: json, test_split: test}\n".replacing("base", with: "metadata")
                + "<<: *b\ntask: t\ndataset_kwargs: {data_files: {test: t.jsonl}}\ndoc_to_text: q\ndoc_to_target: a\n")
        #expect(task.testSplit == "test")
    }

    @Test func filesAreReadWhateverTheyAreWrittenIn() throws {
        let yaml = Self.generating.replacing("\n", with: "\r\n")
        let units = [0xFEFF] + Array(yaml.utf16)
        let files: [String: [UInt8]] = [
            "bom.yaml": Array(("\u{FEFF}" + yaml).utf8),
            "cr.yaml": Array(Self.generating.replacing("\n", with: "\r").utf8),
            "utf16.yaml": units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] },
            "latin1.yaml": Array(yaml.utf8) + [0x23, 0xE9],
        ]
        try withFiles(files) { folder throws in
            for name in ["bom.yaml", "cr.yaml", "utf16.yaml"] {
                #expect(try TaskConfiguration.load(path: folder + name).name == "t")
            }
            let error = #expect(throws: TaskError.self) { try TaskConfiguration.load(path: folder + "latin1.yaml") }
            #expect(error?.message.contains("not UTF-8") == true && error?.line == 7)
        }
        let tab = #expect(throws: TaskError.self) { try Self.read(Self.generating + "metadata:\n\tx: 1\n") }
        #expect(tab?.message.contains("there is a tab here") == true && tab?.line == 8, "\(String(describing: tab))")
    }

    @Test func hugeAndHostileFilesAreRefused() {
        let large = Self.generating + "description: \"" + String(repeating: "x", count: 1 << 20) + "\"\n"
        #expect(throws: TaskError.self) { try Self.read(large) }
        let deep = "a: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(throws: TaskError.self) { try Self.read(deep) }
        let deeper = "a: " + String(repeating: "{a: ", count: 50_000)
        #expect(throws: TaskError.self) { try Self.read(deeper) }
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<10 {
            let alias = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(alias)]\n"
        }
        let error = #expect(throws: TaskError.self) { try Self.read(bomb + "? *a9\n: x\n") }
        #expect(error?.code == .limitExceeded)
        for text in ["", "[]", "a", "- task: x", "task: [", "\u{0}", "task: \"\\", "%YAML 9", "a: b\n---\nc: d"] {
            #expect(throws: TaskError.self) { try Self.read(text) }
        }
    }

    @Test func hashIgnoresOrderCommentsAndSpelledOutDefaults() throws {
        let base = try EvaluationTask(try Self.read(Self.minimal))
        let reordered =
            "# note\n" + Self.minimal.split(separator: "\n").reversed().joined(separator: "\n")
            + "\ntarget_delimiter: ' '\nmetric_list: [{metric: acc}, {metric: acc_norm, aggregation: mean}]\n"
        let other = try EvaluationTask(try TaskConfiguration(yaml: reordered, file: "elsewhere/name.yaml"))
        #expect(base.canonicalJSON == other.canonicalJSON)
        #expect(base.taskHash == other.taskHash)
        #expect(base.taskHash.utf8.count == 64)
        for change in ["description: x", "target_delimiter: ''", "metadata: {version: 2}"] {
            #expect(try EvaluationTask(try Self.read(Self.minimal + change)).taskHash != base.taskHash)
        }
    }

    @Test func canonicalJSONIsATask() throws {
        let yaml =
            Self.generating + """
                num_fewshot: 1
                fewshot_config: {sampler: first_n, samples: [{q: 1, a: é}], target_delimiter: '=', doc_to_target: '{{a}}!'}
                generation_kwargs: {until: [a, b], max_gen_toks: 7, do_sample: false, temperature: 0}
                filter_list: [{name: f, filter: [{function: regex, group_select: -1}, {function: take_first}]}]
                metric_list: [{metric: exact_match, ignore_numbers: true, higher_is_better: false}]
                should_decontaminate: true
                doc_to_decontamination_query: q
                """
        let task = try EvaluationTask(try Self.read(yaml))
        let again = try EvaluationTask(canonicalJSON: task.canonicalJSON)
        #expect(again.canonicalJSON == task.canonicalJSON)
        #expect(again.metrics == task.metrics)
        #expect(again.metrics.map(\.name) == ["exact_match,f"])
        #expect(again.metrics.map(\.higherIsBetter) == [false])
        let document = Document(row: 0, value: .object(["q": .string("Q"), "a": .string("A")]))
        #expect(try again.prepare(document) == task.prepare(document))
        #expect(try again.prepare(document).prompt == "1=é!\n\nQ")
        #expect(throws: TaskError.self) { try EvaluationTask(canonicalJSON: "{") }
        #expect(throws: TaskError.self) { try EvaluationTask(canonicalJSON: "{}") }
    }
}
