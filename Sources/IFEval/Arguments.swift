internal import Datasets
internal import Evaluation
internal import JSON
internal import OrderedCollections
internal import PythonCompat

/// Reads the arguments of one instruction.
///
/// lm-eval replaces some values by random ones. Here they are those that Python draws after `random.seed(0)`.
struct IFEvalArguments {
    private static let relations = ["less than", "at least"]
    /// `LANGUAGE_CODES` of ifeval's `instructions_util`.
    private static let languages: Set<String> = [
        "en", "es", "pt", "ar", "hi", "fr", "ru", "de", "ja", "it", "bn", "uk", "th", "ur", "ta", "te", "bg", "ko",
        "pl", "he", "fa", "vi", "ne", "sw", "kn", "mr", "gu", "pa", "ml", "fi",
    ]

    private let value: JSONValue
    private let column: String
    private let columns: ColumnReader
    private var random = PythonRandom(seed: 0)
    private var known: Set<String> = []

    init(_ value: JSONValue, column: String, of columns: ColumnReader) throws(TaskError) {
        guard case .object = value else { throw columns.error(column, mustBe: "a mapping", is: value.kind) }
        self.value = value
        self.column = column
        self.columns = columns
    }

    func error(_ key: String, mustBe wanted: String, is found: String) -> TaskError {
        self.columns.error("\(self.column).\(key)", mustBe: wanted, is: found)
    }

    /// Arguments that the instruction doesn't know are errors, unless they are null, 0 or empty.
    func finish(_ instruction: String) throws(TaskError) {
        guard case .object(let members) = self.value else { return }
        for (key, value) in members where !self.known.contains(key) && Self.isTrue(value) {
            throw self.error(key, mustBe: "left out for \(instruction)", is: value.kind)
        }
    }

    private static func isTrue(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool(false), .int(0), .double(0), .string(""), .array([]), .object([:]): false
        default: true
        }
    }

    private mutating func value(_ key: String, mustBe wanted: String) throws(TaskError) -> JSONValue {
        self.known.insert(key)
        guard let value = self.value[key], value != .null else {
            throw self.error(key, mustBe: wanted, is: self.value[key]?.kind ?? "missing")
        }
        return value
    }

    mutating func text(_ key: String) throws(TaskError) -> String {
        let value = try self.value(key, mustBe: "a text")
        guard let text = value.string else { throw self.error(key, mustBe: "a text", is: value.kind) }
        guard !text.isEmpty else { throw self.error(key, mustBe: "a text", is: "empty") }
        return text
    }

    mutating func scalars(_ key: String) throws(TaskError) -> [Unicode.Scalar] {
        Array(try self.text(key).unicodeScalars)
    }

    /// A number; one of `range` in the place of 0, of negative ones and of ones above `most`.
    mutating func number(
        _ key: String, _ range: ClosedRange<Int>, allowsNegative: Bool = false, most: Double = .infinity
    ) throws(TaskError) -> Double {
        let number: Double
        switch try self.value(key, mustBe: "a number") {
        case .int(let value): number = Double(value)
        case .double(let value): number = value
        case let value: throw self.error(key, mustBe: "a number", is: value.kind)
        }
        let isFit = number <= most && number != 0 && (number > 0 || allowsNegative)
        // Python's `randint`.
        return isFit ? number : Double(range.lowerBound + self.random.below(range.count))
    }

    /// As `number`, but an integer of up to 31 bits.
    mutating func whole(
        _ key: String, _ range: ClosedRange<Int>, most: Double = .infinity
    ) throws(TaskError) -> Int {
        let number = try self.number(key, range, most: most)
        guard let whole = Int32(exactly: number), whole < .max else {
            throw self.error(key, mustBe: "an integer", is: "\(number)")
        }
        return Int(whole)
    }

    mutating func limit(
        _ number: String, _ relation: String, _ range: ClosedRange<Int>, allowsNegative: Bool = false
    ) throws(TaskError) -> IFEvalLimit {
        let number = try self.number(number, range, allowsNegative: allowsNegative)
        let name = try self.text(relation)
        guard Self.relations.contains(name) else {
            throw self.error(relation, mustBe: "\"less than\" or \"at least\"", is: "\"\(name)\"")
        }
        return IFEvalLimit(number: number, isLeast: name == "at least")
    }

    /// A letter from a to z; one drawn in the place of anything else.
    mutating func letter(_ key: String) throws(TaskError) -> Unicode.Scalar {
        let text = try self.scalars(key)
        let lower = PythonText.lower(text[...])
        if text.count == 1, lower.count == 1, ("a"..."z").contains(lower[0]) { return lower[0] }
        return Unicode.Scalar(UInt8(ascii: "a") + UInt8(self.random.below(52) % 26))
    }

    mutating func language(_ key: String) throws(TaskError) -> String {
        let language = try self.text(key)
        guard Self.languages.contains(language) else {
            throw self.error(key, mustBe: "a language of the task ifeval", is: "\"\(language)\"")
        }
        return language
    }

    mutating func keywords(_ key: String, isWord: Bool) throws(TaskError) -> [IFEvalKeyword] {
        let wanted = "a list of texts"
        let value = try self.value(key, mustBe: wanted)
        guard case .array(let items) = value, !items.isEmpty else {
            throw self.error(key, mustBe: wanted, is: value == .array([]) ? "empty" : value.kind)
        }
        return try items.map { item throws(TaskError) in
            guard let text = item.string else {
                throw self.error(key, mustBe: wanted, is: "a list with \(item.kind) in it")
            }
            return try IFEvalKeyword(text, isWord: isWord, column: key, self)
        }
    }
}
