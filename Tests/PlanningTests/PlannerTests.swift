import Evaluation
import Foundation
import JobQueue
import LMEval
import Planning
import Testing

@Suite struct PlannerTests {
    /// A folder with a job file, a task, four rows and a stand-in for a model's file.
    private struct Folder {
        let path = NSTemporaryDirectory() + "assay-planner-\(UUID().uuidString)"

        init(rows: [String] = (0..<4).map { #"{"id": "r\#($0)", "q": "Q\#($0)", "c": ["a", "b"], "gold": 1}"# }) throws
        {
            try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
            try self.write("rows.jsonl", rows.joined(separator: "\n") + "\n")
            try self.write("model.gguf", "bytes")
            try self.write(
                "task.yaml",
                """
                task: toy
                dataset_path: json
                dataset_kwargs: {data_files: {test: rows.jsonl}}
                test_split: test
                output_type: multiple_choice
                doc_to_text: "{{q}}"
                doc_to_choice: "{{c}}"
                doc_to_target: gold
                metric_list: [{metric: acc}]
                """)
        }

        func write(_ name: String, _ text: String) throws {
            try text.write(toFile: "\(self.path)/\(name)", atomically: true, encoding: .utf8)
        }

        func plan(
            _ job: String, template: (@Sendable () -> String)? = nil,
            constraintProblem: @escaping @Sendable (TextConstraint) -> String? = { _ in nil },
            settingsProblem: @escaping @Sendable (ModelRecord, JobSpecification.Settings) -> String? = { _, _ in nil }
        ) async throws -> RunPlan {
            let file = try JobFile.parse(job, path: "\(self.path)/job.yaml")
            let model = ModelRecord(
                name: "m", path: "\(self.path)/model.gguf", sha256: String(repeating: "a", count: 64), bytes: 5,
                architecture: "llama", parameters: 1, contextLength: 1000, vocabularySize: 10,
                tokenizerSHA256: String(repeating: "b", count: 64), quantization: "F32")
            var planner = Planner(searchFolders: [], user: "tester")
            planner.constraintProblem = constraintProblem
            planner.settingsProblem = settingsProblem
            if let template {
                planner.chatTemplate = { _ in .init(template: template(), bos: "", eos: "") }
            }
            return try await planner.plan(file) { _ in model }
        }
    }

    @Test func aJobSaysWhetherItMayHaveSeveralEngines() async throws {
        let folder = try Folder()
        let plain = try #require(try await folder.plan("model: m\ntasks: [task.yaml]").submission.jobs.first)
        #expect(plain.mixed == nil && !plain.specification.contains("mixed"))
        let plan = try await folder.plan("model: m\nmixed: allowed\ntasks: [task.yaml]")
        let mixed = try #require(plan.submission.jobs.first)
        let specification = try JobSpecification(json: mixed.specification)
        #expect(mixed.mixed == true && specification.settings.mixed == true)
        // Prompts don't depend on it.
        let before = try JobSpecification(json: plain.specification)
        #expect(try specification.settings.promptsHash() == before.settings.promptsHash())
        // A schedule submits it as it was planned.
        let template = try JSONDecoder().decode(
            RunTemplate.self, from: JSONEncoder().encode(RunTemplate(plan.submission)))
        #expect(template.jobs == plan.submission.jobs)
    }

    @Test func strictJobsSayWhatTheirSamplesDependOn() async throws {
        let folder = try Folder()
        func job(_ settings: String) async throws -> (submission: JobSubmission, settings: JobSpecification.Settings) {
            let plan = try await folder.plan("model: m\nsettings: {\(settings)}\ntasks: [task.yaml]")
            let submission = try #require(plan.submission.jobs.first)
            return (submission, try JobSpecification(json: submission.specification).settings)
        }
        let plain = try await job("shard_size: 2, invariance: plan, reuse: false")
        #expect(plain.submission.work == nil && plain.settings.maxLength == 1000)
        #expect(!plain.submission.specification.contains("invariance"))
        #expect(!plain.submission.specification.contains("reuse"))
        let strict = try await job("shard_size: 2, invariance: strict")
        #expect(strict.settings.invariance == .strict && strict.settings.reuse == nil)
        // Whole blocks of what the model takes.
        #expect(strict.settings.maxLength == 992)
        #expect(strict.submission.work?.count == 64)
        let other = try await job("shard_size: 3, batch_tokens: 64, invariance: strict, reuse: true")
        #expect(other.settings.reuse == true && other.submission.work == strict.submission.work)
        #expect(
            try await job("max_length: 500, invariance: strict").submission.work != strict.submission.work)
    }

    @Test func onlyStrictAnswersCanBeReused() async throws {
        let folder = try Folder()
        for settings in ["reuse: true", "reuse: true, invariance: plan"] {
            let error = await #expect(throws: PlanningError.self) {
                try await folder.plan("model: m\nsettings: {\(settings)}\ntasks: [task.yaml]")
            }
            #expect(error?.message.contains("only with invariance: strict") == true)
        }
        let error = await #expect(throws: PlanningError.self) {
            try await folder.plan("model: m\nsettings: {invariance: exact}\ntasks: [task.yaml]")
        }
        #expect(error?.message.contains("it must be one of plan, strict") == true)
    }

    @Test func aJobIsCutAndHashedTheSameWayEveryTime() async throws {
        let folder = try Folder()
        let job = "model: m\nsettings: {shard_size: 3}\ntasks: [task.yaml]"
        let (first, second) = (try await folder.plan(job), try await folder.plan(job))
        let planned = try #require(first.submission.jobs.first)
        #expect(planned.shards.map(\.rowCount) == [3, 1])
        #expect(planned.sampleCount == 4)
        #expect(first.submission.jobs == second.submission.jobs)
        #expect(first.submission.id != second.submission.id)
        #expect(first.dataSets.count == 1)
    }

    @Test func examplesAreDrawnFromRowsThatTravelWithTheJob() async throws {
        let folder = try Folder()
        let plan = try await folder.plan("model: m\ntasks: [{task: task.yaml, num_fewshot: 2}, task.yaml]")
        let specifications = plan.submission.jobs.map(\.specification)
        #expect(specifications[0].contains("fewShotPool") && !specifications[1].contains("fewShotPool"))
        #expect(plan.jobs[0].taskHash != plan.jobs[1].taskHash && plan.dataSets.count == 1)
    }

    @Test func chatTemplatesAreThoseOfModels() async throws {
        let folder = try Folder()
        let job = "model: m\nsettings: {chat_template: true, system_instruction: Be brief.}\ntasks: [task.yaml]"
        let error = await #expect(throws: PlanningError.self) { try await folder.plan(job) }
        #expect(error?.description.contains("can't be read here") == true)
        let refused = await #expect(throws: PlanningError.self) {
            try await folder.plan(job) { "{{ raise_exception('no ' ~ messages[0].role) }}" }
        }
        #expect(refused?.description.contains("no user") == true, "\(String(describing: refused))")
        let plan = try await folder.plan(job) { "{% for m in messages %}{{ m.content }}{% endfor %}" }
        #expect(plan.submission.jobs[0].specification.contains("Be brief."))
    }

    @Test func aLimitTakesTheFirstRows() async throws {
        let folder = try Folder(rows: Array(repeating: #"{"q": "x", "c": ["a"], "gold": 0}"#, count: 7))
        // A share is rounded up, as lm-eval does.
        for (limit, rows) in [("2", 2), ("100", 7), ("0.5", 4), ("0.001", 1), ("0.999", 7)] {
            let plan = try await folder.plan("model: m\ntasks: [{task: task.yaml, limit: \(limit)}]")
            #expect(plan.submission.jobs.first?.sampleCount == rows)
        }
    }

    @Test func aRowThatCanNotBeRenderedIsNamed() async throws {
        let folder = try Folder(rows: [#"{"q": "x", "c": ["a"], "gold": 0}"#, #"{"q": "y", "gold": 0}"#])
        let error = await #expect(throws: PlanningError.self) { try await folder.plan("model: m\ntasks: [task.yaml]") }
        #expect(error?.place == "\(folder.path)/job.yaml:2")
        #expect(error?.message.contains("row 1: doc_to_choice gives null") == true, "\(error?.message ?? "")")
    }

    /// The worker would find out, at the first shard.
    @Test func textsThatLeaveNoRoomForAPromptAreRefused() async throws {
        let folder = try Folder()
        try folder.write(
            "texts.yaml",
            """
            task: texts
            dataset_path: json
            dataset_kwargs: {data_files: {test: rows.jsonl}}
            test_split: test
            doc_to_text: q
            doc_to_target: q
            generation_kwargs: {max_gen_toks: 64}
            """)
        let error = await #expect(throws: PlanningError.self) {
            try await folder.plan("model: m\nsettings: {max_length: 64}\ntasks: [texts.yaml]")
        }
        #expect(error?.message.contains("max_gen_toks 64, but model 'm' takes only 64 tokens here") == true)
        #expect(
            try await folder.plan("model: m\nsettings: {max_length: 65}\ntasks: [texts.yaml]").submission.jobs.count
                == 1)
    }

    @Test func aModelFileThatChangedIsRefused() async throws {
        let folder = try Folder()
        try folder.write("model.gguf", "other bytes")
        let error = await #expect(throws: PlanningError.self) { try await folder.plan("model: m\ntasks: [task.yaml]") }
        #expect(error?.code == .model)
        #expect(error?.message.contains("has 11 bytes, not 5") == true, "\(error?.message ?? "")")
    }

    @Test func theModelsOwnLengthIsWrittenIntoTheJob() async throws {
        let folder = try Folder()
        func length(_ settings: String) async throws -> Int? {
            let plan = try await folder.plan("model: m\n\(settings)tasks: [task.yaml]")
            return try JobSpecification(json: try #require(plan.submission.jobs.first).specification).settings.maxLength
        }
        #expect(try await length("") == 1000)
        #expect(try await length("settings: {max_length: 50}\n") == 50)
    }

    @Test func rulesForTokensAreWrittenIntoTheJob() async throws {
        let folder = try Folder()
        let plan = try await folder.plan(
            """
            model: m
            settings: {add_bos_token: true, special_tokens: text, score_bos: false, end_tokens: [</s>, "7"], normalization: none}
            tasks:
            - task.yaml
            - {task: task.yaml, settings: {prefix_token: <s>, think_end_token: </think>, space_prefix: first}}
            """)
        let rules = try plan.submission.jobs.map { try JobSpecification(json: $0.specification).settings.tokens }
        var expected = TokenRules(
            addsBeginning: true, specialTokens: .text, scoresBeginning: false, endTokens: ["</s>", "7"],
            normalization: TokenRules.Normalization.none)
        #expect(rules[0] == expected)
        expected.prefixToken = "<s>"
        expected.thinkEndToken = "</think>"
        expected.spacePrefix = .first
        #expect(rules[1] == expected)
        let plain = try await folder.plan("model: m\ntasks: [task.yaml]")
        #expect(!plain.submission.jobs[0].specification.contains("\"tokens\""))
    }

    @Test func chatTemplatesGetArguments() async throws {
        let folder = try Folder()
        let plan = try await folder.plan(
            """
            model: m
            settings:
              chat_template: true
              enable_thinking: false
              chat_template_args: {effort: low, "level": 3, list: [a, "1", 1.5, true, null], enable_thinking: true}
            tasks: [task.yaml]
            """, template: { "{{ enable_thinking }} {{ effort }} {{ level + 1 }}" })
        let chat = try JobSpecification(json: plan.submission.jobs[0].specification).settings.chat
        #expect(
            chat?.arguments
                == #"{"effort":"low","level":3,"list":["a","1",1.5,true,null],"enable_thinking":false}"#)
    }

    @Test(
        arguments: [
            ("{enable_thinking: true}", "add chat_template: true"),
            ("{chat_template_args: {a: 1}}", "add chat_template: true"),
            ("{chat_template: true, enable_thinking: true}", "think_end_token does not say"),
            ("{chat_template: true, enable_thinking: true, think_end_token: </think>}", "in which nobody thinks"),
            ("{chat_template: true, chat_template_args: [1]}", "must be a map"),
        ])
    func thoughtsThatNobodyWouldCutOffAreRefused(_ settings: String, _ reason: String) async throws {
        let folder = try Folder()
        let error = await #expect(throws: PlanningError.self) {
            try await folder.plan("model: m\nsettings: \(settings)\ntasks: [task.yaml]", template: { "x" })
        }
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func moreTokensThanTheModelTakesAreRefused() async throws {
        let folder = try Folder()
        let error = await #expect(throws: PlanningError.self) {
            try await folder.plan("model: m\nsettings: {max_length: 1001}\ntasks: [task.yaml]")
        }
        #expect(error?.message.contains("max_length 1001 is more than the 1000 tokens") == true)
    }

    /// A limit of the cache is written into the job, and nothing where nobody set one: jobs of earlier versions stay equal.
    @Test func theLimitOfTheCacheIsPartOfTheJob() async throws {
        let folder = try Folder()
        let plan = try await folder.plan(
            "model: m\nsettings: {cache_mb: 9000}\ntasks: [task.yaml, {task: task.yaml, settings: {cache_mb: 5}}]")
        let settings = try plan.submission.jobs.map { try JobSpecification(json: $0.specification).settings }
        #expect(settings.map(\.cacheMegabytes) == [9000, 5])
        let plain = try await folder.plan("model: m\ntasks: [task.yaml]")
        #expect(plain.submission.jobs[0].specification.contains("cacheMegabytes") == false)
    }

    @Test func whatNoEngineCanRunIsRefusedWithThePlace() async throws {
        let folder = try Folder()
        let error = await #expect(throws: PlanningError.self) {
            try await folder.plan(
                "model: m\ntasks:\n- task: task.yaml\n  settings: {cache_mb: 7, batch_tokens: 64}",
                settingsProblem: {
                    "\($0.name) with \($1.batchTokens) tokens takes more than \($1.cacheMegabytes ?? 0)"
                })
        }
        #expect(
            error?.description.contains("job.yaml:3: task 'task.yaml' on model 'm': m with 64 tokens takes more than 7")
                == true, "\(error?.description ?? "")")
    }

    private static let generating = """
        dataset_path: json
        dataset_kwargs: {data_files: {test: rows.jsonl}}
        test_split: test
        doc_to_text: "{{q}}"
        doc_to_target: "{{gold}}"

        """

    @Test func programsRunOnlyWhereThatIsAllowed() async throws {
        let folder = try Folder()
        try folder.write(
            "code.yaml", "task: code\n" + Self.generating + "unsafe_code: true\nmetric_list: [{metric: pass@1}]\n")
        let error = await #expect(throws: PlanningError.self) { try await folder.plan("model: m\ntasks: [code.yaml]") }
        #expect(error?.message.contains("allow it with run_code: true") == true)
        let plan = try await folder.plan("model: m\nsettings: {run_code: true}\ntasks: [code.yaml, task.yaml]")
        #expect(plan.submission.jobs.map(\.needLabels) == [[WorkerLabel.rules, "run_code"], [WorkerLabel.rules]])
        let reserved = await #expect(throws: PlanningError.self) {
            try await folder.plan("model: m\nrequires: {labels: ['assay:rules-1']}\ntasks: [task.yaml]")
        }
        #expect(reserved?.message.contains("that begin with assay: are reserved") == true)
    }

    @Test func epochsAreForTexts() async throws {
        let folder = try Folder()
        try folder.write("text.yaml", "task: text\n" + Self.generating + "generation_kwargs: {temperature: 1}\n")
        let plan = try await folder.plan("model: m\ntasks: [{task: text.yaml, epochs: 4}, text.yaml]")
        #expect(plan.submission.jobs[0].specification.contains(#"\"epochs\":4"#))
        #expect(plan.jobs[0].taskHash != plan.jobs[1].taskHash)
        let error = await #expect(throws: PlanningError.self) {
            try await folder.plan("model: m\ntasks: [{task: task.yaml, epochs: 4}]")
        }
        #expect(error?.message.contains("generates nothing") == true)
    }

    @Test func constraintsThatCanNotBeFollowedAreRefused() async throws {
        let folder = try Folder()
        try folder.write("text.yaml", "task: text\n" + Self.generating + "generation_kwargs: {grammar: 'nonsense'}\n")
        let error = await #expect(throws: PlanningError.self) {
            try await folder.plan("model: m\ntasks: [text.yaml]", constraintProblem: { "\($0.text) has no rules" })
        }
        #expect(error?.message.contains("grammar: nonsense has no rules") == true)
    }

    @Test func groupsStandForTheirTasks() async throws {
        let folder = try Folder()
        for name in ["one", "two"] {
            try folder.write("\(name).yaml", "include: task.yaml\ntask: \(name)\n")
        }
        try folder.write(
            "group.yaml",
            "group: both\ntask: [one, two]\naggregate_metric_list: [{metric: acc, weight_by_size: false}]\n")
        let plan = try await folder.plan(
            "model: m\ntasks: [{task: group.yaml, limit: 3}, {task: task.yaml, after: group.yaml}]")
        #expect(plan.jobs.map(\.task) == ["one", "two", "toy"] && plan.jobs[1].samples == 3)
        let groups = try plan.submission.jobs.map { try JobSpecification(json: $0.specification).groups }
        let both = JobSpecification.Group(
            name: "both", metrics: [.init(name: "acc", filters: nil, weightBySize: false)])
        #expect(groups == [[both], [both], nil])
        #expect(plan.submission.jobs[2].after == [JobDependency(.sibling(0)), JobDependency(.sibling(1))])
        try folder.write("group.yaml", "group: both\ntask: [one, three]\n")
        let error = await #expect(throws: PlanningError.self) { try await folder.plan("model: m\ntasks: [group.yaml]") }
        #expect(error?.place.hasSuffix("job.yaml:2") == true && error?.message.contains("names three") == true)
    }
}
