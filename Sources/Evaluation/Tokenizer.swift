/// Turns text into a model's token ids.
public protocol Tokenizer: Sendable {
    /// The ids of `text`.
    ///
    /// - Parameters:
    ///   - addSpecial: What the model's vocabulary adds to a text by default (such as BOS) is added.
    ///   - readSpecial: Special tokens written in the text are recognized.
    /// - Throws: `TaskError` of code `invalidSample` for a text that can't be tokenized, such as one of a hundred megabytes.
    func encode(_ text: String, addSpecial: Bool, readSpecial: Bool) throws(TaskError) -> [Int32]

    /// What BOS is written as; `nil` if the vocabulary has none.
    var beginning: String? { get }

    /// `nil` if the vocabulary has none.
    var beginningToken: Int32? { get }

    /// BOS where the vocabulary has one, else EOS; `nil` if it has neither.
    var prefixToken: Int32? { get }

    /// The token that is written so; `nil` if there is none.
    func token(named name: String) -> Int32?

    /// What a token is written as; `nil` if it is not in the vocabulary.
    func name(of token: Int32) -> String?

    /// The same tokenizer, as far as it can follow a job's rules by itself.
    func following(_ rules: TokenRules) -> any Tokenizer
}

extension Tokenizer {
    public var beginningToken: Int32? { self.beginning.flatMap { self.token(named: $0) } }

    public func token(named name: String) -> Int32? { nil }

    public func name(of token: Int32) -> String? { nil }

    public func following(_ rules: TokenRules) -> any Tokenizer { self }

    /// The ids of `text`, whose special tokens are recognized.
    public func encode(_ text: String, addSpecial: Bool) throws(TaskError) -> [Int32] {
        try self.encode(text, addSpecial: addSpecial, readSpecial: true)
    }
}

/// How a job's texts become tokens, and tokens texts; where nothing is said, as lm-eval's Hugging Face model does it.
public struct TokenRules: Codable, Sendable, Hashable {
    public enum SpecialTokens: String, Codable, Sendable, Hashable, CaseIterable {
        /// Special tokens written in a prompt are those tokens.
        case read
        /// They are text like any other, unless a chat template wrote the prompt.
        case text
    }

    /// Where SentencePiece tokenizers that begin words with a space put one that the text does not have.
    public enum SpacePrefix: String, Codable, Sendable, Hashable, CaseIterable {
        /// Before the text, and after every special token in it: what tokenizer.json says of Llama 2 and its like.
        case every
        /// Before a text that does not begin with one: LlamaTokenizer of transformers 5, unless it is a legacy one.
        case first
    }

    /// Into which of Unicode's forms texts are brought before they are split.
    public enum Normalization: String, Codable, Sendable, Hashable, CaseIterable {
        case nfc, none
    }

    /// Whether BOS stands before every text; `nil`: as the vocabulary has it.
    public var addsBeginning: Bool?
    /// What stands before a text without a context: a token's name or number; `nil`: BOS, else EOS.
    public var prefixToken: String?
    /// `nil`: read.
    public var specialTokens: SpecialTokens?
    /// `nil`: what is known of the vocabulary's family.
    public var normalization: Normalization?
    /// `nil`: every.
    public var spacePrefix: SpacePrefix?
    /// Whether a BOS that belongs to a rolling text is scored, after the prefix token, as lm-eval does; `nil`: it is.
    public var scoresBeginning: Bool?
    /// What ends a generation: names or numbers of tokens; `nil`: what the vocabulary says.
    public var endTokens: [String]?
    /// What the answer of a reasoning model comes after: a text, or a token's number.
    public var thinkEndToken: String?

    public init(
        addsBeginning: Bool? = nil, prefixToken: String? = nil, specialTokens: SpecialTokens? = nil,
        scoresBeginning: Bool? = nil, endTokens: [String]? = nil, thinkEndToken: String? = nil,
        spacePrefix: SpacePrefix? = nil, normalization: Normalization? = nil
    ) {
        self.normalization = normalization
        self.spacePrefix = spacePrefix
        self.addsBeginning = addsBeginning
        self.prefixToken = prefixToken
        self.specialTokens = specialTokens
        self.scoresBeginning = scoresBeginning
        self.endTokens = endTokens
        self.thinkEndToken = thinkEndToken
    }

    /// Whether nothing is said.
    public var isEmpty: Bool { self == TokenRules() }

    /// These rules, with those of `base` where they say nothing.
    public func over(_ base: TokenRules) -> TokenRules {
        TokenRules(
            addsBeginning: self.addsBeginning ?? base.addsBeginning, prefixToken: self.prefixToken ?? base.prefixToken,
            specialTokens: self.specialTokens ?? base.specialTokens,
            scoresBeginning: self.scoresBeginning ?? base.scoresBeginning, endTokens: self.endTokens ?? base.endTokens,
            thinkEndToken: self.thinkEndToken ?? base.thinkEndToken, spacePrefix: self.spacePrefix ?? base.spacePrefix,
            normalization: self.normalization ?? base.normalization)
    }
}

extension TokenRules {
    /// Throws `TaskError` if a token is named that the vocabulary does not have.
    public func check(_ tokenizer: any Tokenizer) throws(TaskError) {
        _ = try TextEncoder(tokenizer, self, isChat: false)
    }
}

/// A tokenizer with what is known of the texts, and of the rules for them.
public struct TextEncoder {
    /// What stands before texts without a context.
    public let prefixToken: Int32?
    /// `nil` for what the vocabulary says.
    public let endTokens: [Int32]?
    public let thinkingEnd: ThinkingEnd?
    public let scoresBeginning: Bool
    private let tokenizer: any Tokenizer
    private let readsSpecial: Bool
    private let addsBeginning: Bool?
    private let beginning: Int32?
    /// What `prefixToken` is written as.
    private let prefix: String?

    public init(_ tokenizer: any Tokenizer, _ rules: TokenRules, isChat: Bool) throws(TaskError) {
        func token(_ name: String, _ key: String) throws(TaskError) -> Int32 {
            if let number = Int32(name), tokenizer.name(of: number) != nil { return number }
            if let token = tokenizer.token(named: name) { return token }
            throw TaskError(
                .invalidValue,
                "\(key) names the token '\(name)', which the model's vocabulary does not have; give a special token such as "
                    + "<|im_end|>, or a token's number")
        }
        self.tokenizer = tokenizer.following(rules)
        self.readsSpecial = isChat || rules.specialTokens != .text
        self.addsBeginning = rules.addsBeginning
        self.scoresBeginning = rules.scoresBeginning ?? true
        self.beginning = tokenizer.beginningToken
        if rules.addsBeginning == true, self.beginning == nil {
            throw TaskError(.invalidValue, "add_bos_token is true, but the model's vocabulary has no BOS")
        }
        if let name = rules.prefixToken {
            let number = try token(name, "prefix_token")
            self.prefixToken = number
            self.prefix = tokenizer.name(of: number)
        } else {
            self.prefixToken = tokenizer.prefixToken
            self.prefix = tokenizer.beginning ?? tokenizer.prefixToken.flatMap { tokenizer.name(of: $0) }
        }
        self.endTokens = try rules.endTokens.map { names throws(TaskError) in
            try names.map { name throws(TaskError) in try token(name, "end_tokens") }
        }
        self.thinkingEnd = try rules.thinkEndToken.map { name throws(TaskError) in
            Int32(name) == nil ? .text(name) : .token(try token(name, "think_end_token"))
        }
    }

    /// The ids of a text that is scored.
    public func encode(_ text: String) throws(TaskError) -> [Int32] {
        try self.encode(text, unlessItBeginsWith: self.prefix)
    }

    /// The ids of a prompt.
    public func encode(prompt: String) throws(TaskError) -> [Int32] {
        try self.encode(prompt, unlessItBeginsWith: self.tokenizer.beginning)
    }

    /// The ids of a continuation without a context.
    public func encode(continuation: String) throws(TaskError) -> [Int32] {
        try self.tokenizer.encode(continuation, addSpecial: false, readSpecial: self.readsSpecial)
    }

    /// Adds no BOS to a text that begins with it, as lm-eval does, since a chat template may write it.
    private func encode(_ text: String, unlessItBeginsWith mark: String?) throws(TaskError) -> [Int32] {
        let begins = self.readsSpecial && mark.map { !$0.isEmpty && text.utf8.starts(with: $0.utf8) } == true
        let tokens = try self.tokenizer.encode(
            text, addSpecial: self.addsBeginning == nil && !begins, readSpecial: self.readsSpecial)
        guard self.addsBeginning == true, !begins, let beginning else { return tokens }
        return [beginning] + tokens
    }

    /// Whether these ids begin with the vocabulary's BOS.
    public func begins(_ tokens: [Int32]) -> Bool { self.beginning != nil && tokens.first == self.beginning }
}
