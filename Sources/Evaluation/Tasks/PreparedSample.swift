/// A document turned into prompts: everything about a sample that does not depend on the model.
public struct PreparedSample: Sendable, Hashable {
    /// The data set's id column, or the row number.
    public var sampleID: String
    /// The row in the data set, from 0.
    public var row: Int
    /// The prompt as rendered (for multiple choice: the shared context; for rolling: the text).
    public var prompt: String
    /// The target in text; for multiple choice the gold choice's text.
    public var target: String
    /// The gold choice's index in `choices`; `nil` unless the task is multiple choice.
    public var goldIndex: Int?
    /// The answer options without delimiter; empty unless the task is multiple choice.
    public var choices: [String]
    /// What the model is asked, one per choice, in order; one for the other output types.
    public var requests: [Request]

    public init(
        sampleID: String, row: Int, prompt: String, target: String, goldIndex: Int? = nil, choices: [String] = [],
        requests: [Request]
    ) {
        self.sampleID = sampleID
        self.row = row
        self.prompt = prompt
        self.target = target
        self.goldIndex = goldIndex
        self.choices = choices
        self.requests = requests
    }
}
