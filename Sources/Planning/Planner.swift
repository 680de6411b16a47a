internal import Datasets
public import Evaluation
internal import FoundationEssentials
public import JobQueue
public import LMEval

/// Turns a job file into a run: reads, checks and hashes everything, and cuts the shards.
public struct Planner: Sendable {
    /// Where data files of tasks are looked for besides the task file's own folder.
    public var searchFolders: [String]
    public var user: String
    /// Has the data sets that tasks name instead of files.
    public var catalog: any DataSetCatalog
    /// Why engines can't follow a constraint; `nil` if they can.
    public var constraintProblem: @Sendable (TextConstraint) -> String? = { _ in nil }
    /// Why engines can't run a model with these settings, whatever the device; `nil` if they can.
    public var settingsProblem: @Sendable (ModelRecord, JobSpecification.Settings) -> String? = { _, _ in nil }
    /// Why a model's tokens may be other ones than those of its own tokenizer; `nil` if nothing speaks for it.
    public var tokenizerDoubt: @Sendable (ModelRecord) -> String? = { _ in nil }
    /// A model's own chat template, for jobs that ask for it.
    public var chatTemplate: @Sendable (ModelRecord) throws(PlanningError) -> JobSpecification.Chat

    public init(
        searchFolders: [String], user: String, catalog: any DataSetCatalog = NoDataSets(),
        chatTemplate: @escaping @Sendable (ModelRecord) throws(PlanningError) -> JobSpecification.Chat = {
            model throws(PlanningError) in
            throw PlanningError(.model, at: model.name, "chat templates can't be read here")
        }
    ) {
        self.searchFolders = searchFolders
        self.user = user
        self.catalog = catalog
        self.chatTemplate = chatTemplate
    }

    /// What a job gets that no file sets.
    public static let defaults = JobSettings(
        shardSize: 100, batchTokens: EngineDefaults.batchTokens, maxSequences: EngineDefaults.maxSequences,
        generationSlots: EngineDefaults.generationSlots, logits: .choices)

    /// Checks everything that can be wrong before anything is stored; the same inputs give the same plan.
    ///
    /// - Parameter work: Finds the runs and jobs that the file is to come after.
    public func plan(
        _ file: JobFile, id: RunID = .random(), model find: (String) async throws(QueueError) -> ModelRecord,
        work: (String) async throws(QueueError) -> WorkTarget = { name throws(QueueError) in
            throw QueueError(.invalid, "'\(name)' can't be waited for here: leave out 'after'")
        }
    ) async throws(PlanningError) -> RunPlan {
        var models: [ModelRecord] = []
        for name in file.models { models.append(try await self.model(name, of: file, find)) }
        let prerequisites = try await self.prerequisites(of: file, work)
        var plan = RunPlan(
            submission: RunSubmission(
                id: id, name: file.name, project: file.project, user: self.user, priority: file.priority,
                specification: "", jobs: []),
            jobs: [], dataSets: [:])
        for entry in file.tasks {
            for member in try Self.members(entry, of: file) {
                let (task, data) = try await self.load(member, entry, of: file)
                plan.dataSets[data.evaluated.sha256] = data.evaluated
                if task.drawsExamples, let pool = data.fewShotPool { plan.dataSets[pool.sha256] = pool }
                for model in models {
                    try self.add(task, data, model, member, entry, file, prerequisites, to: &plan)
                }
            }
        }
        plan.submission.specification = try Self.describe(plan, file)
        return plan
    }

    private func model(
        _ name: String, of file: JobFile, _ find: (String) async throws(QueueError) -> ModelRecord
    ) async throws(PlanningError) -> ModelRecord {
        let model: ModelRecord
        do {
            model = try await find(name)
        } catch {
            throw PlanningError(error.isTransient ? .unavailable : .model, at: file.path, "\(error)")
        }
        guard let size = model.bytesOnDisk else {
            throw PlanningError(
                .model, at: file.path,
                "the file of model '\(name)' is gone: \(model.path); put it back, or register it with `assay model add`"
            )
        }
        guard size == model.bytes else {
            throw PlanningError(
                .model, at: file.path,
                "the file of model '\(name)' has changed since it was registered: \(model.path) has \(size) bytes, "
                    + "not \(model.bytes); register it under a new name with `assay model add`")
        }
        return model
    }

    private func prerequisites(
        of file: JobFile, _ find: (String) async throws(QueueError) -> WorkTarget
    ) async throws(PlanningError) -> [JobDependency] {
        var dependencies: [JobDependency] = []
        for prerequisite in file.after {
            do {
                switch try await find(prerequisite.name) {
                case .run(let run): dependencies.append(JobDependency(.run(run), prerequisite.condition))
                case .job(let job):
                    dependencies.append(JobDependency(.job(job.run, job.ordinal), prerequisite.condition))
                }
            } catch {
                throw PlanningError(error.isTransient ? .unavailable : .jobFile, at: "\(file.path): after", "\(error)")
            }
        }
        return dependencies
    }

    /// The jobs of the same model for these task files.
    private static func siblings(_ paths: [String], model: String, in plan: RunPlan) -> [JobDependency] {
        plan.jobs.filter { paths.contains($0.taskFile) && $0.model == model }
            .map { JobDependency(.sibling($0.ordinal)) }
    }

    private func add(
        _ task: EvaluationTask, _ data: TaskData, _ model: ModelRecord, _ member: GroupMember,
        _ entry: JobFile.TaskEntry, _ file: JobFile, _ prerequisites: [JobDependency], to plan: inout RunPlan
    ) throws(PlanningError) {
        let dataSet = data.evaluated
        let settings = entry.settings.over(file.settings).over(Self.defaults)
        let samples = entry.limit?.rows(of: dataSet.rowCount) ?? dataSet.rowCount
        let place = "\(file.path):\(entry.line)"
        if let maxLength = settings.maxLength, maxLength > model.contextLength {
            throw PlanningError(
                .model, at: place,
                "max_length \(maxLength) is more than the \(model.contextLength) tokens that model '\(model.name)' takes"
            )
        }
        let block = settings.invariance == .strict ? EngineDefaults.strictBlock : 1
        let length = settings.maxLength ?? max(block, model.contextLength / block * block)
        if let wanted = task.configuration.generation?.maxTokens, wanted >= length {
            throw PlanningError(
                .task, at: place,
                "task '\(entry.path)' has max_gen_toks \(wanted), but model '\(model.name)' takes only \(length) tokens here, "
                    + "prompt included; lower max_gen_toks in the task file"
                    + (length < model.contextLength ? ", or raise max_length" : ""))
        }
        let runsCode = task.configuration.runsCode
        guard !runsCode || settings.runsCode == true else {
            throw PlanningError(
                .task, at: place,
                "task '\(entry.path)' runs programs that the model writes; allow it with run_code: true in the settings, and "
                    + "start a worker with --run-code")
        }
        try Self.checkThinking(settings, task.configuration, at: place)
        guard settings.reuse != true || settings.invariance == .strict else {
            throw PlanningError(
                .task, at: place,
                "task '\(entry.path)' has reuse: true, but numbers of other runs are the same only with invariance: strict; "
                    + "set that, too, or leave out reuse")
        }
        guard settings.reuse != true || !runsCode else {
            throw PlanningError(
                .task, at: place,
                "task '\(entry.path)' has reuse: true, but it runs programs, whose verdicts depend on more than the model; leave "
                    + "out reuse")
        }
        let shardSize = settings.shardSize ?? samples
        var specification = JobSpecification(
            model: .init(
                name: model.name, path: model.path, sha256: model.sha256, tokenizerSHA256: model.tokenizerSHA256,
                tokenizerDoubt: self.tokenizerDoubt(model)),
            task: .init(task),
            dataSet: .init(sha256: dataSet.sha256, rows: samples),
            fewShotPool: task.drawsExamples
                ? data.fewShotPool.map { .init(sha256: $0.sha256, rows: $0.rowCount) } : nil,
            settings: .init(
                maxLength: length,
                batchTokens: settings.batchTokens ?? EngineDefaults.batchTokens,
                maxSequences: settings.maxSequences ?? EngineDefaults.maxSequences,
                generationSlots: settings.generationSlots ?? EngineDefaults.generationSlots,
                logits: settings.logits ?? .choices, shardSize: shardSize, overflow: settings.overflow,
                chat: try self.chat(of: model, settings), systemInstruction: settings.systemInstruction,
                cacheMegabytes: settings.cacheMegabytes, tokens: settings.tokens.isEmpty ? nil : settings.tokens,
                invariance: settings.invariance == .strict ? .strict : nil,
                reuse: settings.reuse == true ? true : nil))
        if let problem = self.settingsProblem(model, specification.settings) {
            throw PlanningError(.model, at: place, "task '\(entry.path)' on model '\(model.name)': \(problem)")
        }
        specification.settings.mixed = file.isMixed ? true : nil
        specification.groups = member.groups.isEmpty ? nil : member.groups
        try self.check(specification, task, dataSet, at: place)
        let (json, work): (String, String?)
        do {
            json = try specification.json()
            work = try specification.workHash(rules: WorkerLabel.rules)
        } catch {
            throw PlanningError(.task, at: place, "the job can't be written as JSON: \(error)")
        }
        if specification.settings.invariance == .strict, let device = file.requirements.device, device != "cpu" {
            let note =
                "invariance: strict is for CPUs; on \(device) results stay at plan, and nothing is reused: leave out `device` under "
                + "`requires`, or set it to cpu"
            if !plan.notes.contains(note) { plan.notes.append(note) }
        }
        let shards = Self.shards(of: samples, size: shardSize)
        let ordinal = plan.jobs.count
        for note in (task.configuration.notes + member.notes).map({ "\(task.configuration.name): \($0)" })
        where !plan.notes.contains(note) {
            plan.notes.append(note)
        }
        plan.submission.jobs.append(
            JobSubmission(
                ordinal: ordinal, task: task.configuration.name, model: model.name, modelSHA256: model.sha256,
                specification: json, sampleCount: samples, shards: shards,
                needLabels: file.requirements.labels + [WorkerLabel.rules] + (runsCode ? [WorkerLabel.runsCode] : []),
                needGPUMegabytes: file.requirements.gpuMegabytes, needDevice: file.requirements.device,
                maxAttempts: file.maxAttempts ?? 3, maxFailures: file.maxFailures,
                after: prerequisites + Self.siblings(entry.after, model: model.name, in: plan),
                mixed: file.isMixed ? true : nil, work: work))
        plan.jobs.append(
            PlannedJob(
                ordinal: ordinal, task: task.configuration.name, taskFile: entry.path, taskHash: task.taskHash,
                model: model.name, dataSetSHA256: dataSet.sha256, samples: samples, shards: shards.count))
    }

    /// Contiguous ranges of `size` rows, the last one with what is left; a function of its arguments alone.
    public static func shards(of samples: Int, size: Int) -> [ShardRange] {
        stride(from: 0, to: samples, by: max(size, 1)).map {
            ShardRange(rowStart: $0, rowCount: min(size, samples - $0))
        }
    }

    private static func describe(_ plan: RunPlan, _ file: JobFile) throws(PlanningError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(plan.jobs), as: UTF8.self)
        } catch {
            throw PlanningError(.jobFile, at: file.path, "the run can't be written as JSON: \(error)")
        }
    }
}

extension Planner {
    /// The task files that an entry stands for: its own, or those of a group.
    static func members(
        _ entry: JobFile.TaskEntry, of file: JobFile
    ) throws(PlanningError) -> [GroupMember] {
        let folder =
            file.path.contains("/") ? String(file.path[..<(file.path.lastIndex(of: "/") ?? file.path.startIndex)]) : "."
        let path = entry.path.hasPrefix("/") ? entry.path : "\(folder)/\(entry.path)"
        do {
            return try GroupMember.all(of: path)
        } catch {
            throw PlanningError(.task, at: "\(file.path):\(entry.line)", "task '\(entry.path)': \(error)")
        }
    }

    func load(
        _ member: GroupMember, _ entry: JobFile.TaskEntry, of file: JobFile
    ) async throws(PlanningError) -> (EvaluationTask, TaskData) {
        do {
            return try await self.checked(member.path, entry)
        } catch {
            throw PlanningError(
                error.code == .invalidData || error.code == .invalidSample ? .dataSet : .task,
                at: "\(file.path):\(entry.line)", "task '\(entry.path)': \(error)")
        }
    }

    /// Renders every row once, so that a worker never meets one that can't be.
    private func checked(
        _ path: String, _ entry: JobFile.TaskEntry
    ) async throws(TaskError) -> (EvaluationTask, TaskData) {
        let (task, data) = try await EvaluationTask.load(
            path: path, searchFolders: self.searchFolders, fewShot: entry.fewShot, epochs: entry.epochs,
            catalog: self.catalog)
        let dataSet = data.evaluated
        let rows = entry.limit?.rows(of: dataSet.rowCount) ?? dataSet.rowCount
        guard rows > 0 else { throw TaskError(.invalidData, "the data set has no rows", file: path) }
        if let constraint = task.configuration.generation?.constraint,
            let problem = self.constraintProblem(constraint)
        {
            throw TaskError(.invalidValue, "\(constraint.key): \(problem)", file: path)
        }
        for document in try dataSet.documents(in: 0..<rows) {
            try task.checkScoring(of: try task.prepare(document))
        }
        return (task, data)
    }
}

extension Planner {
    /// How a job's prompts go through the model's chat template; `nil` for plain text.
    func chat(
        of model: ModelRecord, _ settings: JobSettings
    ) throws(PlanningError) -> JobSpecification.Chat? {
        guard settings.chatTemplate == true else { return nil }
        var chat = try self.chatTemplate(model)
        do {
            chat.arguments = try JinjaChatTemplate.arguments(
                settings.chatTemplateArguments, enablesThinking: settings.enablesThinking)
        } catch {
            throw PlanningError(.jobFile, at: model.name, "\(error)")
        }
        chat.isMultiTurn = settings.fewShotAsMultiTurn ?? true
        return chat
    }

    /// Refuses settings for reasoning models that lm-eval refuses, or that would have no effect.
    static func checkThinking(
        _ settings: JobSettings, _ task: TaskConfiguration, at place: String
    ) throws(PlanningError) {
        let arguments = settings.enablesThinking != nil ? "enable_thinking" : "chat_template_args"
        if settings.enablesThinking != nil || settings.chatTemplateArguments != nil, settings.chatTemplate != true {
            throw PlanningError(
                .jobFile, at: place, "\(arguments) is for chat templates; add chat_template: true, or leave it out")
        }
        guard settings.enablesThinking == true else { return }
        guard settings.tokens.thinkEndToken?.isEmpty == false else {
            throw PlanningError(
                .jobFile, at: place,
                "enable_thinking is true, but think_end_token does not say what ends the model's thoughts; add it, such as "
                    + "think_end_token: </think>")
        }
        guard task.outputType == .generateUntil else {
            throw PlanningError(
                .jobFile, at: place,
                "enable_thinking is true, but task '\(task.name)' scores given texts, in which nobody thinks; take a task that "
                    + "generates, or leave it out")
        }
    }

    /// Renders every row as the worker will, where that is not how all were rendered before.
    func check(
        _ job: JobSpecification, _ task: EvaluationTask, _ dataSet: DataSet, at place: String
    ) throws(PlanningError) {
        guard job.settings.chat != nil || job.settings.systemInstruction != nil else { return }
        do {
            let style = try job.settings.promptStyle()
            for row in 0..<job.dataSet.rows {
                _ = try task.prepare(try dataSet.document(at: row), style: style)
            }
        } catch {
            throw PlanningError(.task, at: place, "model '\(job.model.name)': \(error)")
        }
    }
}

extension Planner {
    /// A run that scores the answers of finished jobs anew.
    ///
    /// - Parameters:
    ///   - jobs: What each new job is, with the shards of the old one.
    ///   - label: What its worker alone has, so that none with an engine takes it.
    public static func rescoring(
        name: String, project: String, user: String, label: String,
        jobs: [(specification: JobSpecification, shards: [ShardRange])]
    ) throws(PlanningError) -> RunSubmission {
        var submissions: [JobSubmission] = []
        for (ordinal, job) in jobs.enumerated() {
            let json: String
            do {
                json = try job.specification.json()
            } catch {
                throw PlanningError(.task, at: name, "the job can't be written as JSON: \(error)")
            }
            submissions.append(
                JobSubmission(
                    ordinal: ordinal, task: job.specification.task.name, model: job.specification.model.name,
                    modelSHA256: job.specification.model.sha256, specification: json,
                    sampleCount: job.specification.dataSet.rows, shards: job.shards, needLabels: [label]))
        }
        return RunSubmission(
            name: name, project: project, user: user, specification: "[]", jobs: submissions)
    }
}

/// Why a job file can't become jobs.
public struct PlanningError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// The job file can't be read, or something in it is wrong.
        case jobFile
        /// A task that it names is wrong.
        case task
        /// The rows of a task are wrong or missing.
        case dataSet
        /// The model is unknown, or does not fit.
        case model
        /// The queue or the store did not answer.
        case unavailable
    }

    public var code: Code
    /// The file, line and key, as far as known: "jobs/demo.yaml:4: settings.logits".
    public var place: String
    /// What was found and what would be right.
    public var message: String

    public init(_ code: Code, at place: String, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    public var description: String { "\(self.place): \(self.message)" }
}
