internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import Datasets
internal import Evaluation
internal import Inference
internal import JobQueue
internal import LMEval
internal import Planning
internal import PostgresQueue
internal import TerminalText

struct TaskPreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "Show the exact prompts of a task, and with --model their tokens.",
        discussion: """
            White space is shown as it is; the prompt ends where the continuation begins.
            Example:  assay task preview jobs/tasks/hellaswag.yaml --model smollm2-135m --count 2
            Example:  assay task preview jobs/tasks/gsm8k.yaml --diff my-gsm8k.yaml
            """)

    @Argument(help: "The task file.")
    var file: String

    @Option(help: "A registered model, to count tokens as the engine will.")
    var model: String?

    @Option(help: "The first row, from 0.")
    var row = 0

    @Option(help: "How many rows.")
    var count = 1

    @Option(name: .customLong("num-fewshot"), help: "As many few-shot examples instead of what the file says.")
    var numFewShot: Int?

    @Flag(help: "Show token ids too; needs --model.")
    var tokens = false

    @Option(help: "Another task file: show where its prompts differ, over all rows.")
    var diff: String?

    @OptionGroup var style: PromptStyleOptions

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var task: String
        var rows: Int
        /// Of everything that a model would be asked, over all rows.
        var promptsSHA256: String
        var samples: [PromptPreview]
    }

    func validate() throws {
        guard self.row >= 0, self.count >= 1, (0...1000).contains(self.numFewShot ?? 0) else {
            throw ValidationError("--row starts at 0, --count at 1, and --num-fewshot is at most 1000")
        }
        guard self.model != nil || !(self.tokens || self.style.chatTemplate) else {
            throw ValidationError("--tokens and --chat-template need --model")
        }
    }

    func run() async throws {
        let (task, data) = try await TaskFile.load(self.file, fewShot: self.numFewShot, self.options)
        let dataSet = data.evaluated
        guard self.row < dataSet.rowCount else {
            throw UserError(
                "row \(self.row) does not exist: the data set has \(dataSet.rowCount) rows (0 to \(dataSet.rowCount - 1))"
            )
        }
        let model = try await self.registeredModel()
        let style = try self.style.style(of: model)
        if let diff {
            let other = try await TaskFile.load(diff, fewShot: self.numFewShot, self.options)
            let difference = try PromptDifference(
                (task, dataSet), (other.task, other.data.evaluated), style: style)
            return try self.show(difference, to: diff)
        }
        let tokenizer = try model.map { (try LlamaTokenizer(modelPath: $0.path), maxLength: $0.contextLength) }
        let rows = self.row..<min(self.row + self.count, dataSet.rowCount)
        let answer = Answer(
            task: task.configuration.name, rows: dataSet.rowCount,
            promptsSHA256: try task.promptHash(of: dataSet, rows: 0..<dataSet.rowCount, style: style),
            samples: try dataSet.documents(in: rows).map { document in
                try PromptPreview(
                    try task.prepare(document, style: style), tokenizer, isChat: style.template != nil)
            })
        if self.options.json { return try Output.json(answer) }
        let terminal = Terminal.standardOutput(environment: self.options.environment)
        for note in task.configuration.notes { Output.note("\(note)") }
        for sample in answer.samples { sample.show(on: terminal, tokens: self.tokens) }
        Output.line(
            terminal.styled("prompts of all \(answer.rows) rows", .dim) + " sha256 \(answer.promptsSHA256)")
    }

    private func registeredModel() async throws -> ModelRecord? {
        guard let name = self.model else { return nil }
        return try await Session.with(self.options) { try await $0.queue.model(named: name) }
    }

    /// Both files' names go before the lines; nothing but a sentence if nothing differs.
    private func show(_ difference: PromptDifference, to second: String) throws {
        if self.options.json { return try Output.json(difference) }
        let first = self.file
        guard let row = difference.firstDifferingRow else {
            return Output.line("the prompts are the same (\(Format.counted(difference.rows[0], "row")))")
        }
        let terminal = Terminal.standardOutput(environment: self.options.environment)
        Output.line(
            "\(Format.counted(difference.differing, "row")) of \(difference.rows.max() ?? 0) differ; row \(row) is the first"
        )
        if difference.rows[0] != difference.rows[1] {
            Output.line("\(first) has \(difference.rows[0]) rows, \(second) has \(difference.rows[1])")
        }
        guard !difference.lines.isEmpty else { return }
        Output.line(terminal.styled("--- \(first)", .bold))
        Output.line(terminal.styled("+++ \(second)", .bold))
        for line in difference.lines {
            switch line.first {
            case "-": Output.line(terminal.styled(line, .red))
            case "+": Output.line(terminal.styled(line, .green))
            default: Output.line("\(line)")
            }
        }
    }
}

/// How prompts are written, as a job's settings say it.
struct PromptStyleOptions: ParsableArguments {
    @Flag(name: .customLong("chat-template"), help: "Put prompts through the model's chat template.")
    var chatTemplate = false

    @Flag(name: .customLong("one-message"), help: "Keep few-shot examples in one message instead of turns.")
    var oneMessage = false

    @Option(name: .customLong("system-instruction"), help: "What stands before the task's description.")
    var systemInstruction: String?

    @Option(
        name: .customLong("chat-template-args"),
        help: "What the template sees besides the messages, as JSON: '{\"enable_thinking\": false}'.")
    var chatTemplateArguments: String?

    func style(of model: ModelRecord?) throws -> PromptStyle {
        guard self.chatTemplate, let model else { return PromptStyle(systemInstruction: self.systemInstruction) }
        let chat = try ModelTemplate.chat(model)
        return PromptStyle(
            template: try JinjaChatTemplate(
                chat.template, bos: chat.bos, eos: chat.eos, arguments: self.chatTemplateArguments),
            isMultiTurn: !self.oneMessage, systemInstruction: self.systemInstruction)
    }
}

/// What a model would be asked for one row.
struct PromptPreview: Encodable {
    struct Part: Encodable {
        var context: String
        var continuation: String?
        var stop: [String]?
        /// A grammar or JSON schema.
        var constraint: String?
        var contextTokens: [Int32]?
        var continuationTokens: [Int32]?
        var truncatedTokens: Int?
    }

    var sampleID: String
    var row: Int
    var target: String
    var requests: [Part]

    init(
        _ sample: PreparedSample, _ tokenizer: (LlamaTokenizer, maxLength: Int)?, isChat: Bool
    ) throws {
        self.sampleID = sample.sampleID
        self.row = sample.row
        self.target = sample.references.joined(separator: " | ")
        self.requests = try sample.requests.map { try Part($0, tokenizer, isChat: isChat) }
    }

    func show(on terminal: Terminal, tokens: Bool) {
        Output.line(terminal.styled("── sample \(self.sampleID) (row \(self.row))", .bold))
        var shown: String?
        for (index, part) in self.requests.enumerated() {
            if part.context != shown {
                Output.line(terminal.styled("context\(Self.count(part.contextTokens))", .dim))
                Output.line("\(lines: part.context)")
                if tokens, let ids = part.contextTokens { Output.line(terminal.styled(Self.list(ids), .dim)) }
                shown = part.context
            }
            if let continuation = part.continuation {
                Output.line(
                    terminal.styled("continuation \(index)\(Self.count(part.continuationTokens))", .dim)
                        + " \(PromptDifference.quoted(continuation))")
                if tokens, let ids = part.continuationTokens { Output.line(terminal.styled(Self.list(ids), .dim)) }
            }
            if let stop = part.stop {
                Output.line(
                    terminal.styled("stops at", .dim) + " \(stop.map(PromptDifference.quoted).joined(separator: " "))")
            }
            if let constraint = part.constraint { Output.line(terminal.styled("follows", .dim) + " \(constraint)") }
            if let cut = part.truncatedTokens, cut > 0 {
                Output.line(terminal.styled("\(cut) tokens are cut on the left", .yellow))
            }
        }
        Output.line(terminal.styled("target", .dim) + " \(PromptDifference.quoted(self.target))")
        Output.line()
    }

    private static func count(_ tokens: [Int32]?) -> String { tokens.map { " (\($0.count) tokens)" } ?? "" }

    private static func list(_ tokens: [Int32]) -> String { tokens.map(String.init).joined(separator: " ") }
}

extension PromptPreview.Part {
    fileprivate init(
        _ request: Request, _ tokenizer: (LlamaTokenizer, maxLength: Int)?, isChat: Bool
    ) throws {
        switch request {
        case .loglikelihood(let context, let continuation):
            self.init(context: context, continuation: continuation)
        case .rolling(let text): self.init(context: "", continuation: text)
        case .generate(let prompt, let stop, _, _, let constraint):
            self.init(context: prompt, stop: stop, constraint: constraint.map { "\($0.key): \($0.text)" })
        }
        guard let (tokenizer, maxLength) = tokenizer else { return }
        for window in try request.tokenized(by: tokenizer, maxLength: maxLength, isChat: isChat) {
            switch window {
            case .score(let score):
                self.contextTokens = (self.contextTokens ?? []) + score.tokens[..<score.scoredFrom]
                self.continuationTokens = (self.continuationTokens ?? []) + score.tokens[score.scoredFrom...]
                self.truncatedTokens = (self.truncatedTokens ?? 0) + score.truncated
            case .generate(let generation):
                self.contextTokens = generation.prompt
                self.truncatedTokens = generation.truncated
            }
        }
    }
}
