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

    @OptionGroup var options: GlobalOptions

    struct Preview: Encodable {
        struct Part: Encodable {
            var context: String
            var continuation: String?
            var stop: [String]?
            var contextTokens: [Int32]?
            var continuationTokens: [Int32]?
            var truncatedTokens: Int?
        }
        var sampleID: String
        var row: Int
        var target: String
        var requests: [Part]
    }

    func validate() throws {
        guard self.row >= 0, self.count >= 1, (0...1000).contains(self.numFewShot ?? 0) else {
            throw ValidationError("--row starts at 0, --count at 1, and --num-fewshot is at most 1000")
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
        let tokenizer = try await self.tokenizer()
        var previews: [Preview] = []
        for document in try dataSet.documents(in: self.row..<min(self.row + self.count, dataSet.rowCount)) {
            previews.append(try self.preview(try task.prepare(document), tokenizer))
        }
        if self.options.json { return try Output.json(previews) }
        let terminal = Terminal.standardOutput(environment: self.options.environment)
        for preview in previews { self.show(preview, on: terminal) }
    }

    private func tokenizer() async throws -> (LlamaTokenizer, maxLength: Int)? {
        guard let name = self.model else { return nil }
        let model = try await Session.with(self.options) { try await $0.queue.model(named: name) }
        return (try LlamaTokenizer(modelPath: model.path), model.contextLength)
    }

    private func preview(
        _ sample: PreparedSample, _ tokenizer: (LlamaTokenizer, maxLength: Int)?
    ) throws -> Preview {
        var parts: [Preview.Part] = []
        for request in sample.requests {
            var part =
                switch request {
                case .loglikelihood(let context, let continuation):
                    Preview.Part(context: context, continuation: continuation)
                case .rolling(let text): Preview.Part(context: "", continuation: text)
                case .generate(let prompt, let stop, _, _): Preview.Part(context: prompt, stop: stop)
                }
            if let (tokenizer, maxLength) = tokenizer {
                for window in try request.tokenized(by: tokenizer, maxLength: maxLength) {
                    switch window {
                    case .score(let score):
                        part.contextTokens = (part.contextTokens ?? []) + score.tokens[..<score.scoredFrom]
                        part.continuationTokens = (part.continuationTokens ?? []) + score.tokens[score.scoredFrom...]
                        part.truncatedTokens = (part.truncatedTokens ?? 0) + score.truncated
                    case .generate(let generation):
                        part.contextTokens = generation.prompt
                        part.truncatedTokens = generation.truncated
                    }
                }
            }
            parts.append(part)
        }
        return Preview(sampleID: sample.sampleID, row: sample.row, target: sample.target, requests: parts)
    }

    private func show(_ preview: Preview, on terminal: Terminal) {
        Output.line(terminal.styled("── sample \(preview.sampleID) (row \(preview.row))", .bold))
        var shown: String?
        for (index, part) in preview.requests.enumerated() {
            if part.context != shown {
                Output.line(
                    terminal.styled("context\(Self.tokens(part.contextTokens))", .dim))
                Output.line(part.context)
                shown = part.context
            }
            if let continuation = part.continuation {
                Output.line(
                    terminal.styled("continuation \(index)\(Self.tokens(part.continuationTokens))", .dim)
                        + " \(Self.quoted(continuation))")
            }
            if let stop = part.stop {
                Output.line(terminal.styled("stops at", .dim) + " \(stop.map(Self.quoted).joined(separator: " "))")
            }
            if let cut = part.truncatedTokens, cut > 0 {
                Output.line(terminal.styled("\(cut) tokens are cut on the left", .yellow))
            }
        }
        Output.line(terminal.styled("target", .dim) + " \(Self.quoted(preview.target))")
        Output.line()
    }

    private static func tokens(_ tokens: [Int32]?) -> String {
        tokens.map { " (\($0.count) tokens)" } ?? ""
    }

    /// In quotes, so that white space at the ends shows.
    private static func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\"", with: "\\\""))\""
    }
}
