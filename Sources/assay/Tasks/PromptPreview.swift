internal import Console
internal import Evaluation
internal import Inference

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
                        + " \(Self.quoted(continuation))")
                if tokens, let ids = part.continuationTokens { Output.line(terminal.styled(Self.list(ids), .dim)) }
            }
            if let stop = part.stop {
                Output.line(terminal.styled("stops at", .dim) + " \(stop.map(Self.quoted).joined(separator: " "))")
            }
            if let constraint = part.constraint { Output.line(terminal.styled("follows", .dim) + " \(constraint)") }
            if let cut = part.truncatedTokens, cut > 0 {
                Output.line(terminal.styled("\(cut) tokens are cut on the left", .yellow))
            }
        }
        Output.line(terminal.styled("target", .dim) + " \(Self.quoted(self.target))")
        Output.line()
    }

    private static func count(_ tokens: [Int32]?) -> String { tokens.map { " (\($0.count) tokens)" } ?? "" }

    private static func list(_ tokens: [Int32]) -> String { tokens.map(String.init).joined(separator: " ") }

    /// In quotes, so that white space at the ends shows.
    static func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\"", with: "\\\""))\""
    }
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
