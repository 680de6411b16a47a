public import Evaluation
internal import JSON
internal import PythonCompat

extension Request {
    /// The request in token ids, for a model that takes `maxLength` tokens; as lm-eval's Hugging Face model does it.
    ///
    /// A rolling request gives one request for each window, none where there is no token; the others give exactly one.
    /// - Parameter isChat: The text comes from a chat template, whose special tokens are always recognised.
    /// - Throws: `TaskError` if the request doesn't fit the model or has nothing to score; what is cut off is an error only
    ///   when `overflow` says so.
    public func tokenized(
        by tokenizer: any Tokenizer, maxLength: Int, overflow: OverflowPolicy = .truncate, isChat: Bool = false,
        rules: TokenRules = TokenRules()
    ) throws(TaskError) -> [EngineRequest] {
        guard maxLength >= 1 else { throw TaskError(.invalidSample, "a model of \(maxLength) tokens can't be used") }
        let requests = try self.fitted(to: maxLength, TextEncoder(tokenizer, rules, isChat: isChat))
        let excess = requests.map(\.truncated).max() ?? 0
        guard overflow == .truncate || excess == 0 else {
            throw TaskError(
                .invalidSample,
                "the prompt has \(excess) token\(excess == 1 ? "" : "s") more than fit into the model's \(maxLength), "
                    + "and the job says `overflow: error`; raise max_length, leave the row out, or let it be cut with "
                    + "`overflow: truncate`")
        }
        return requests
    }

    private func fitted(to maxLength: Int, _ tokenizer: TextEncoder) throws(TaskError) -> [EngineRequest] {
        switch self {
        case .loglikelihood(let context, let continuation):
            return [.score(try Self.pair(context, continuation, tokenizer, maxLength))]
        case .rolling(let text): return try Self.windows(text, tokenizer, maxLength).map(EngineRequest.score)
        case .generate(let prompt, let stop, let maxTokens, let sampling, let constraint):
            var request = try Self.generation(prompt, stop, maxTokens, tokenizer, maxLength)
            request.sampling = sampling
            request.constraint = constraint
            return [.generate(request)]
        }
    }

    private static func prefix(_ tokenizer: TextEncoder) throws(TaskError) -> Int32 {
        guard let token = tokenizer.prefixToken else {
            throw TaskError(
                .invalidSample, "the model has neither a BOS nor an EOS token to put before a text without context")
        }
        return token
    }

    private static func pair(
        _ context: String, _ continuation: String, _ tokenizer: TextEncoder, _ maxLength: Int
    ) throws(TaskError) -> ScoringRequest {
        var head: [Int32]
        var tail: [Int32]
        // White space before the continuation belongs to its first token.
        let scalars = context.unicodeScalars
        let end = scalars.lastIndex { !PythonText.isSpace($0) }.map(scalars.index(after:)) ?? scalars.startIndex
        if context.isEmpty {
            head = []
            tail = try tokenizer.encode(continuation: continuation)
        } else {
            // Encoded together: tokens may reach over the boundary.
            let whole = try tokenizer.encode(context + continuation)
            head = try tokenizer.encode(String(scalars[..<end]))
            tail = Array(whole.dropFirst(head.count))
        }
        if head.isEmpty {
            let prefix = try self.prefix(tokenizer)
            if tail.first == prefix { tail.removeFirst() }
            head = [prefix]
        }
        guard !tail.isEmpty else {
            throw TaskError(
                .invalidSample, "the continuation \(JSONValue.string(continuation).text()) has no tokens to score")
        }
        guard tail.count <= maxLength else {
            throw TaskError(
                .invalidSample, "the continuation has \(tail.count) tokens, but the model takes only \(maxLength)")
        }
        // The last token is predicted, not fed.
        let truncated = max(0, head.count + tail.count - (maxLength + 1))
        let tokens = Array((head + tail).dropFirst(truncated))
        return ScoringRequest(tokens: tokens, scoredFrom: tokens.count - tail.count, truncated: truncated)
    }

    /// Windows in which every token is predicted exactly once.
    ///
    /// The first starts with the prefix token; the later ones have at least one token of context, the last one as much
    /// as fits. Where the vocabulary adds BOS, lm-eval has it predicted too, after the prefix token.
    private static func windows(
        _ text: String, _ tokenizer: TextEncoder, _ maxLength: Int
    ) throws(TaskError) -> [ScoringRequest] {
        var tokens = try tokenizer.encode(text)
        if !tokenizer.scoresBeginning, tokenizer.begins(tokens) { tokens.removeFirst() }
        guard !tokens.isEmpty else { return [] }
        var predicted = min(maxLength, tokens.count)
        var windows = [
            ScoringRequest(tokens: [try self.prefix(tokenizer)] + tokens.prefix(predicted), scoredFrom: 1)
        ]
        while predicted < tokens.count {
            let count = min(tokens.count - predicted, maxLength)
            let end = predicted + count
            windows.append(
                ScoringRequest(tokens: Array(tokens[(end - maxLength - 1)..<end]), scoredFrom: maxLength + 1 - count))
            predicted = end
        }
        return windows
    }

    private static func generation(
        _ prompt: String, _ stop: [String], _ maxTokens: Int, _ tokenizer: TextEncoder, _ maxLength: Int
    ) throws(TaskError) -> GenerationRequest {
        let room = maxLength - maxTokens
        guard room > 0 else {
            throw TaskError(
                .invalidSample,
                "max_gen_toks is \(maxTokens), but the model takes only \(maxLength) tokens, prompt included; lower it")
        }
        var tokens = try tokenizer.encode(prompt: prompt)
        if tokens.isEmpty { tokens = [try self.prefix(tokenizer)] }
        let truncated = max(0, tokens.count - room)
        return GenerationRequest(
            prompt: Array(tokens.dropFirst(truncated)), stop: stop, maxTokens: maxTokens, truncated: truncated,
            endTokens: tokenizer.endTokens, thinkingEnd: tokenizer.thinkingEnd)
    }
}
