@testable import Evaluation
@testable import JSON

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Reference values that lm-evaluation-harness itself gave; Fixtures/lm-eval/make.py made them.
enum Fixture {
    static let folder: String = {
        let file = #filePath
        return String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]) + "/Fixtures/lm-eval/"
    }()

    static let expected: JSONValue = Self.read("expected.json")
    static let answers: JSONValue = Self.read("answers.json")

    static func read(_ name: String) -> JSONValue {
        guard let data = try? Data(contentsOf: URL(filePath: Self.folder + name)),
            let value = try? JSONValue.parse(data)
        else { return .null }
        return value
    }

    static func cases(_ key: String) -> [JSONValue] { Self.expected[key]?.items ?? [] }
}

extension JSONValue {
    var items: [JSONValue] {
        if case .array(let items) = self { items } else { [] }
    }

    var number: Double {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: .nan
        }
    }

    var integer: Int {
        if case .int(let number) = self { number } else { -1 }
    }

    subscript(index: Int) -> JSONValue { self.items.indices.contains(index) ? self.items[index] : .null }
}

/// The longest entry of the vocabulary that fits, else one token for each code point; as make.py's.
struct ToyTokenizer: Tokenizer {
    static let words = [
        "the", " the", "he", " c", "cat", " cat", "at", "s ", " s", "  ", "\n", "\n\n", "a:", ": ", ":", "ar", " a",
    ]
    var addsPrefix = false
    var prefixToken: Int32? = 1
    var beginning: String? { "<s>" }

    func encode(_ text: String, addSpecial: Bool, readSpecial: Bool) -> [Int32] {
        var tokens: [Int32] = addSpecial && self.addsPrefix ? [1] : []
        var rest = Array(text.unicodeScalars)[...]
        while let first = rest.first {
            let fitting = Self.words.enumerated().filter { rest.starts(with: $0.element.unicodeScalars) }
            if let best = fitting.max(by: { $0.element.unicodeScalars.count < $1.element.unicodeScalars.count }) {
                tokens.append(Int32(10 + best.offset))
                rest = rest.dropFirst(best.element.unicodeScalars.count)
            } else {
                tokens.append(Int32(1000 + first.value))
                rest = rest.dropFirst()
            }
        }
        return tokens
    }
}

/// One token for each byte.
struct ByteTokenizer: Tokenizer {
    var prefixToken: Int32? = 256
    var beginning: String? { nil }

    func encode(_ text: String, addSpecial: Bool, readSpecial: Bool) -> [Int32] { text.utf8.map(Int32.init) }
}
