internal import ArgumentParser
internal import Console
internal import Evaluation
internal import Inference
internal import JobQueue

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
            throw CommandFailure(
                "row \(self.row) does not exist: the data set has \(dataSet.rowCount) rows (0 to \(dataSet.rowCount - 1))"
            )
        }
        let model = try await self.registeredModel()
        let style = try self.style.style(of: model)
        if let diff {
            let other = try await TaskFile.load(diff, fewShot: self.numFewShot, self.options)
            let difference = try PromptDifference(
                (task, dataSet), (other.task, other.data.evaluated), style: style)
            return try difference.show(self.file, diff, self.options)
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
