/// Filters that a row's generated texts pass one after the other.
public struct FilterPipeline: Sendable, Hashable {
    public var name: String
    public var filters: [Filter]

    public enum Filter: Sendable, Hashable {
        /// The `group`-th match (negative: from the end), its first group that is not empty, stripped.
        case regex(pattern: String, group: Int, fallback: String)
        /// As `regex`; where it finds nothing the row's choices are looked for, by their texts and by their letters.
        case multiChoiceRegex(pattern: String, group: Int, fallback: String, ignoring: ExactMatchNormalization)
        case removeWhitespace
        case lowercase
        case uppercase
        /// Texts become others; those that are not named become `fallback`, or no answer.
        case map([MapEntry], fallback: JSONValue?)
        case takeFirst
        case takeFirstK(Int)
        /// The most frequent text, of equally frequent ones the first.
        case majorityVote
        case native(NativeFunction, NativeFilterOptions)
    }

    /// What task files call the filters.
    enum Function: String, CaseIterable {
        case regex
        case multiChoiceRegex = "multi_choice_regex"
        case removeWhitespace = "remove_whitespace"
        case lowercase
        case uppercase
        case map
        case takeFirst = "take_first"
        case takeFirstK = "take_first_k"
        case majorityVote = "majority_vote"
    }

    public struct MapEntry: Sendable, Hashable {
        public var text: String
        /// A text, a number or a boolean.
        public var value: JSONValue
    }

    /// Keeps all texts, or the first one.
    static func plain(takesFirst: Bool) -> FilterPipeline {
        FilterPipeline(name: "none", filters: takesFirst ? [.takeFirst] : [])
    }
}

extension FilterPipeline.Filter {
    /// `nil` for one that is a function.
    var function: FilterPipeline.Function? {
        switch self {
        case .native: nil
        case .regex: .regex
        case .multiChoiceRegex: .multiChoiceRegex
        case .removeWhitespace: .removeWhitespace
        case .lowercase: .lowercase
        case .uppercase: .uppercase
        case .map: .map
        case .takeFirst: .takeFirst
        case .takeFirstK: .takeFirstK
        case .majorityVote: .majorityVote
        }
    }
}

/// What exact_match ignores, applied in this order to both sides.
public struct ExactMatchNormalization: Sendable, Hashable {
    public var regexesToIgnore: [String] = []
    public var ignoreCase = false
    public var ignorePunctuation = false
    public var ignoreNumbers = false

    static let none = ExactMatchNormalization()
}
