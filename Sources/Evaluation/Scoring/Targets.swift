internal import OrderedCollections
internal import PythonCompat

/// What a row's answers are compared with, as Python has it: `exact_match` of lm-eval compares values, not what they print.
struct Targets: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// One value. Where a pipeline leaves one answer, it is turned into what that is.
        case one
        /// Any of several values.
        case several
        /// Texts of choices.
        case choices
    }

    let kind: Kind
    let values: [JSONValue]

    init(_ values: [JSONValue], _ kind: Kind) {
        self.kind = kind
        self.values = values
    }

    init(texts: [String]) { self.init(texts.map(JSONValue.string), .choices) }

    /// As Python prints them.
    var texts: [String] { self.values.map(PythonText.str) }

    /// What an answer of this kind can equal, printed as such an answer is.
    ///
    /// - Parameter inList: The pipeline leaves a list of answers, even if it has only one.
    func comparable(with answer: AnswerKind, inList: Bool) -> [String] {
        if self.kind == .one, !inList { return self.values.map(answer.cast) }
        if answer != .text {
            // An array that has a text in it is one of texts.
            guard self.values.allSatisfy({ $0.isNumeric }) else { return [] }
            return self.values.compactMap(answer.exact)
        }
        let texts = self.values.filter { $0.string != nil }
        // Numpy makes texts of numbers that stand beside a text, and compares no others with a text.
        let isUniform = self.values.allSatisfy { $0.string != nil || $0.isNumeric }
        return (texts.isEmpty || !isUniform ? texts : self.values).map(PythonText.str)
    }
}

/// What an answer is after a pipeline: a text, or a number that a map made of one.
enum AnswerKind: Sendable, Hashable {
    case text
    case integer
    case float
    case boolean

    init(_ value: JSONValue) {
        self =
            switch value {
            case .int: .integer
            case .double: .float
            case .bool: .boolean
            default: .text
            }
    }

    /// Python's `str(target)`, `int(target)`, `float(target)` or `bool(target)`, printed; as it is where that is an error.
    fileprivate func cast(_ target: JSONValue) -> String {
        let text = PythonText.str(target)
        switch self {
        case .text: return text
        case .integer:
            switch target {
            case .string: return PythonNumber.int(text).map { "\($0)" } ?? text
            case .double(let number): return Int(exactly: number.rounded(.towardZero)).map { "\($0)" } ?? text
            case .bool(let flag): return flag ? "1" : "0"
            default: return text
            }
        case .float:
            switch target {
            case .string, .int: return PythonNumber.float(text).map(PythonNumber.str) ?? text
            case .bool(let flag): return flag ? "1.0" : "0.0"
            default: return text
            }
        case .boolean: return target.isTrue ? "True" : "False"
        }
    }

    /// A number that equals `target`, as one of this kind is printed; `nil` if there is none.
    fileprivate func exact(_ target: JSONValue) -> String? {
        let number: Double
        switch target {
        case .int(let value): number = Double(value)
        case .double(let value): number = value
        case .bool(let value): number = value ? 1 : 0
        default: return nil
        }
        switch self {
        case .text: return nil
        case .integer:
            if case .int(let value) = target { return "\(value)" }
            return Int(exactly: number).map { "\($0)" }
        case .float: return PythonNumber.str(number)
        case .boolean: return number == 1 ? "True" : number == 0 ? "False" : nil
        }
    }
}

extension JSONValue {
    /// Python's booleans are numbers.
    fileprivate var isNumeric: Bool {
        switch self {
        case .int, .double, .bool: true
        case .null, .string, .date, .array, .object: false
        }
    }

    /// Python's `bool()`.
    fileprivate var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .double(let number): number != 0
        case .string(let text): !text.isEmpty
        case .date: true
        case .array(let items): !items.isEmpty
        case .object(let members): !members.isEmpty
        }
    }
}
