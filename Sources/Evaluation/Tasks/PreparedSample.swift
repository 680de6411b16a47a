/// A document turned into prompts: everything about a sample that does not depend on the model's answers.
public struct PreparedSample: Sendable, Hashable {
    /// The data set's id column, or the row number.
    public var sampleID: String
    /// The row in the data set, from 0.
    public var row: Int
    /// The prompt as rendered (for multiple choice: the shared context; for rolling: the text).
    public var prompt: String
    /// The target in text; for multiple choice the first right choice's text.
    public var target: String
    /// Everything that is right, in text; at least one.
    public var references: [String]
    /// The same as generated texts are compared with it.
    var targets: Targets
    /// The right choices' indices in `choices`; empty unless the task is multiple choice.
    public var golds: [Int]
    /// The answer options without delimiter; empty unless the task is multiple choice.
    public var choices: [String]
    /// What the model is asked: for multiple choice one for each choice, and one more for each if the choices'
    /// log-likelihoods without a context are needed; one for the other output types.
    public var requests: [Request]
    /// Samples with the same one are not independent; `nil` where the task names no cluster key.
    public var cluster: String?
    /// The columns that a filter reads.
    var document: JSONValue

    init(
        _ document: RenderedDocument, id: String, prompt: String, references: [String], targets: Targets? = nil,
        golds: [Int] = [], choices: [String] = [], _ requests: [Request]
    ) {
        self.sampleID = id
        self.row = document.row
        self.prompt = prompt
        self.target = references.first ?? ""
        self.references = references
        self.targets = targets ?? Targets(texts: references)
        self.golds = golds
        self.choices = choices
        self.requests = requests
        self.document = document.value
    }
}
