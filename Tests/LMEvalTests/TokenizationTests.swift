import LMEval
import Testing

@testable import Evaluation

@Suite struct TokenizationTests {
    private static func bytes(_ text: String) -> [Int32] { text.utf8.map(Int32.init) }

    private static func pair(
        _ context: String, _ continuation: String, _ tokenizer: any Tokenizer = ByteTokenizer(), length: Int = 100
    ) throws -> ScoringRequest {
        let request = Request.loglikelihood(context: context, continuation: continuation)
        guard case .score(let score) = try request.tokenized(by: tokenizer, maxLength: length).first else {
            throw TaskError(.invalidSample, "no request")
        }
        return score
    }

    @Test func continuationFollowsContext() throws {
        #expect(try Self.pair("ab", " c") == ScoringRequest(tokens: Self.bytes("ab c"), scoredFrom: 2))
    }

    @Test func spaceBeforeTheContinuationBelongsToIt() throws {
        #expect(try Self.pair("ab \n", "c") == ScoringRequest(tokens: Self.bytes("ab \nc"), scoredFrom: 2))
        // Python takes a no-break space as white space too.
        #expect(try Self.pair("ab\u{A0}", "c").scoredFrom == 2)
    }

    @Test func tokensMayReachOverTheBoundary() throws {
        // The pair is "the", " cat", " a", "t"; the context alone is "the", " c", "a", so the fourth token is scored.
        let score = try Self.pair("the ca", "t at", ToyTokenizer())
        #expect(score.tokens == [10, 13, 1097, 1116])
        #expect(score.scoredFrom == 3)
    }

    @Test func noContextMeansThePrefixToken() throws {
        #expect(try Self.pair("", "ab") == ScoringRequest(tokens: [256, 97, 98], scoredFrom: 1))
        #expect(try Self.pair("  ", "ab") == ScoringRequest(tokens: [256, 32, 32, 97, 98], scoredFrom: 1))
        #expect(
            try Self.pair("", "ab", ByteTokenizer(prefixToken: 97)) == ScoringRequest(tokens: [97, 98], scoredFrom: 1))
        #expect(throws: TaskError.self) { try Self.pair("", "ab", ByteTokenizer(prefixToken: nil)) }
        // Nothing would be left to score.
        #expect(throws: TaskError.self) { try Self.pair("", "a", ByteTokenizer(prefixToken: 97)) }
    }

    @Test func theLeftIsCut() throws {
        let score = try Self.pair("abcdef", "gh", length: 4)
        #expect(score == ScoringRequest(tokens: Self.bytes("defgh"), scoredFrom: 3, truncated: 3))
        #expect(try Self.pair("abcdef", "gh", length: 7).truncated == 0)
        let full = try Self.pair("ab", "cdef", length: 4)
        #expect(full == ScoringRequest(tokens: Self.bytes("bcdef"), scoredFrom: 1, truncated: 1))
        let error = #expect(throws: TaskError.self) { try Self.pair("ab", "cdefg", length: 4) }
        #expect(error?.message == "the continuation has 5 tokens, but the model takes only 4")
        #expect(throws: TaskError.self) { try Self.pair("ab", "") }
    }

    @Test func windowsPredictEveryTokenOnce() throws {
        for count in 1..<40 {
            for length in 1..<12 {
                let text = String(repeating: "x", count: count)
                let windows = try Request.rolling(text: text).tokenized(by: ByteTokenizer(), maxLength: length)
                var scored = 0
                for case .score(let window) in windows {
                    #expect(window.tokens.count <= length + 1)
                    #expect(window.scoredFrom >= 1)
                    scored += window.tokens.count - window.scoredFrom
                }
                #expect(scored == count)
            }
        }
        #expect(try Request.rolling(text: "").tokenized(by: ByteTokenizer(), maxLength: 4).isEmpty)
    }

    @Test func whatDoesNotFitIsAnErrorWhereTheJobSaysSo() throws {
        let pair = Request.loglikelihood(context: "abcdef", continuation: "gh")
        #expect(try pair.tokenized(by: ByteTokenizer(), maxLength: 7, overflow: .error).map(\.truncated) == [0])
        let error = #expect(throws: TaskError.self) {
            try pair.tokenized(by: ByteTokenizer(), maxLength: 4, overflow: .error)
        }
        #expect(error?.message.hasPrefix("the prompt has 3 tokens more than fit into the model's 4") == true)
        let generation = Request.generate(prompt: "abcdef", stop: [], maxTokens: 6)
        #expect(throws: TaskError.self) {
            try generation.tokenized(by: ByteTokenizer(), maxLength: 11, overflow: .error)
        }
        // Windows lose nothing.
        let text = Request.rolling(text: "abcdefgh")
        #expect(try text.tokenized(by: ByteTokenizer(), maxLength: 3, overflow: .error).count == 3)
    }

    @Test func promptsLeaveRoomForTheAnswer() throws {
        let request = Request.generate(prompt: "abcdef", stop: ["\n"], maxTokens: 6)
        let fits = GenerationRequest(prompt: Self.bytes("abcdef"), stop: ["\n"], maxTokens: 6)
        #expect(try request.tokenized(by: ByteTokenizer(), maxLength: 12) == [.generate(fits)])
        let cut = GenerationRequest(prompt: Self.bytes("cdef"), stop: ["\n"], maxTokens: 6, truncated: 2)
        #expect(try request.tokenized(by: ByteTokenizer(), maxLength: 10) == [.generate(cut)])
        let error = #expect(throws: TaskError.self) { try request.tokenized(by: ByteTokenizer(), maxLength: 6) }
        #expect(error?.message.contains("max_gen_toks is 6") == true)
        let empty = Request.generate(prompt: "", stop: [], maxTokens: 1)
        #expect(
            try empty.tokenized(by: ByteTokenizer(), maxLength: 9)
                == [.generate(GenerationRequest(prompt: [256], stop: [], maxTokens: 1))])
    }

    @Test func aTextThatBeginsWithTheMarkOfItsBeginningGetsNoSecondOne() throws {
        let tokenizer = MarkedTokenizer()
        #expect(try Self.pair("<s>a", "b", tokenizer).tokens == [1, 97, 98])
        #expect(try Self.pair("a", "b", tokenizer).tokens == [1, 97, 98])
        let prompt = Request.generate(prompt: "<s>a", stop: [], maxTokens: 1)
        #expect(
            try prompt.tokenized(by: tokenizer, maxLength: 9)
                == [.generate(GenerationRequest(prompt: [1, 97], stop: [], maxTokens: 1))])
        // As text it is none.
        let asText = try prompt.tokenized(by: tokenizer, maxLength: 9, rules: TokenRules(specialTokens: .text))
        #expect(asText == [.generate(GenerationRequest(prompt: [1] + Self.bytes("<s>a"), stop: [], maxTokens: 1))])
        // Templates write special tokens, whatever a job says of texts.
        let chat = try prompt.tokenized(
            by: tokenizer, maxLength: 9, isChat: true, rules: TokenRules(specialTokens: .text))
        #expect(chat == [.generate(GenerationRequest(prompt: [1, 97], stop: [], maxTokens: 1))])
    }

    @Test func rollingTextsScoreTheirBeginningUnlessTheJobSaysNo() throws {
        func windows(_ rules: TokenRules) throws -> [EngineRequest] {
            try Request.rolling(text: "ab").tokenized(by: MarkedTokenizer(), maxLength: 9, rules: rules)
        }
        #expect(try windows(TokenRules()) == [.score(ScoringRequest(tokens: [1, 1, 97, 98], scoredFrom: 1))])
        let without: [EngineRequest] = [.score(ScoringRequest(tokens: [1, 97, 98], scoredFrom: 1))]
        #expect(try windows(TokenRules(scoresBeginning: false)) == without)
        #expect(try windows(TokenRules(addsBeginning: false)) == without)
    }

    @Test func rulesMayNameTokens() throws {
        func request(_ request: Request, _ rules: TokenRules) throws -> EngineRequest? {
            try request.tokenized(by: MarkedTokenizer(adds: false), maxLength: 9, rules: rules).first
        }
        let pair = Request.loglikelihood(context: "", continuation: "a")
        #expect(try request(pair, TokenRules()) == .score(ScoringRequest(tokens: [1, 97], scoredFrom: 1)))
        for name in ["</s>", "2"] {
            let score = ScoringRequest(tokens: [2, 97], scoredFrom: 1)
            #expect(try request(pair, TokenRules(prefixToken: name)) == .score(score))
        }
        let prompt = Request.generate(prompt: "a", stop: [], maxTokens: 1)
        let rules = TokenRules(addsBeginning: true, endTokens: ["</s>"], thinkEndToken: "</think>")
        #expect(
            try request(prompt, rules)
                == .generate(
                    GenerationRequest(
                        prompt: [1, 97], stop: [], maxTokens: 1, endTokens: [2], thinkingEnd: .text("</think>"))))
        let error = #expect(throws: TaskError.self) { try request(pair, TokenRules(prefixToken: "<none>")) }
        #expect(error?.message.contains("prefix_token names the token '<none>'") == true)
        #expect(throws: TaskError.self) { try TokenRules(endTokens: ["300"]).check(MarkedTokenizer()) }
        #expect(throws: TaskError.self) { try TokenRules(addsBeginning: true).check(ByteTokenizer()) }
    }
}

/// One token for each byte, and two special ones.
private struct MarkedTokenizer: Tokenizer {
    var adds = true
    var prefixToken: Int32? { 1 }
    var beginning: String? { "<s>" }

    func token(named name: String) -> Int32? { name == "<s>" ? 1 : name == "</s>" ? 2 : nil }

    func name(of token: Int32) -> String? { token == 1 ? "<s>" : token == 2 ? "</s>" : (3..<256) ~= token ? "?" : nil }

    func encode(_ text: String, addSpecial: Bool, readSpecial: Bool) -> [Int32] {
        var tokens: [Int32] = addSpecial && self.adds ? [1] : []
        var rest = text[...]
        if readSpecial, rest.hasPrefix("<s>") {
            tokens.append(1)
            rest = rest.dropFirst(3)
        }
        return tokens + rest.utf8.map(Int32.init)
    }
}
