// Draft of signatures; replaced by the implementation file by file.
internal import OrderedCollections

public indirect enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([JSONValue])
    /// Members in their order.
    case object([(JSONMember)])
}
public struct JSONMember: Sendable, Hashable { public var key: String; public var value: JSONValue }

/// One row of a data set.
public struct Document: Sendable, Hashable {
    public var row: Int
    /// An object.
    public var value: JSONValue
}

/// The rows of a data set in canonical JSONL.
public struct DataSet: Sendable {
    /// Canonical JSONL: what is stored and hashed.
    public var jsonl: [UInt8] { fatalError() }
    public var sha256: String { fatalError() }
    public var rowCount: Int { fatalError() }
    /// Reads a .jsonl/.json/.csv file; CSV becomes JSONL.
    public static func load(path: String) throws(TaskError) -> DataSet { fatalError() }
    /// From bytes that are JSONL already (a stored data set).
    public init(jsonl: [UInt8], file: String = "") throws(TaskError) { fatalError() }
    public func document(at row: Int) throws(TaskError) -> Document { fatalError() }
    public func documents(in rows: Range<Int>) throws(TaskError) -> [Document] { fatalError() }
}

/// A parsed and checked task file, not yet compiled.
public struct TaskConfiguration: Sendable, Hashable {
    public var name: String
    public var alias: String?
    public var tags: [String]
    public var outputType: OutputType
    public var version: String
    // ... every key of the file

    public static func load(path: String) throws(TaskError) -> TaskConfiguration { fatalError() }
    public init(yaml: String, file: String) throws(TaskError) { fatalError() }
    /// The split that is evaluated: test, else validation.
    public var evaluationSplit: String { fatalError() }
    /// The data file of a split: beside the task file, else in the first of `searchFolders` that has it.
    public func dataFile(split: String, searchFolders: [String]) throws(TaskError) -> String { fatalError() }
}

public enum OutputType: String, Sendable, Hashable, CaseIterable, Codable {
    case multipleChoice = "multiple_choice"
    case loglikelihood
    case loglikelihoodRolling = "loglikelihood_rolling"
    case generateUntil = "generate_until"
}

/// A task with compiled templates and its few-shot documents.
///
/// Use an instance from several threads freely.
public struct EvaluationTask: Sendable {
    public var configuration: TaskConfiguration { fatalError() }
    /// Everything that determines prompts and scores, as canonical JSON (few-shot documents included, file locations not).
    public var canonicalJSON: String { fatalError() }
    /// sha256 of `canonicalJSON`, 64 hex digits.
    public var taskHash: String { fatalError() }
    public var metrics: [MetricDefinition] { fatalError() }
    /// Reads task file and data: (what the planner calls).
    public static func load(path: String, searchFolders: [String]) throws(TaskError) -> (
        task: EvaluationTask, dataSet: DataSet
    ) { fatalError() }
    /// What a worker calls.
    public init(canonicalJSON: String) throws(TaskError) { fatalError() }
    public func prepare(_ document: Document) throws(TaskError) -> PreparedSample { fatalError() }
    /// `requests` and `responses`: one array per request of `sample.requests`, in order (rolling: one entry per window).
    public func score(
        _ sample: PreparedSample, requests: [[EngineRequest]], responses: [[EngineResponse]], logitsMode: LogitsMode
    ) throws(TaskError) -> SampleResult { fatalError() }
    /// Refuses duplicates in the id column over the whole data set.
    public func checkSampleIDs(in dataSet: DataSet) throws(TaskError) { fatalError() }
}

extension Request {
    /// In token ids, for a model of `maxLength` tokens; rolling requests give one per window.
    public func tokenized(by tokenizer: any Tokenizer, maxLength: Int) throws(TaskError) -> [EngineRequest] {
        fatalError()
    }
}

extension Aggregation {
    /// One number from a column; NaN for no values.
    public func callAsFunction(_ values: [Double], weights: [Double]) -> Double { fatalError() }
}
