import Testing

@testable import PythonCompat

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What CPython answers for every code point; Fixtures/characters.py asked it.
enum CharacterFixture {
    struct Run {
        var points: ClosedRange<UInt32>
        /// One digit for each predicate.
        var predicates: [UInt8]
        var category: String
        /// The lower, upper, title and folded forms, and the lower case of `re`; none if the code point is all of them.
        var forms: [String]

        var scalars: [Unicode.Scalar] { self.points.compactMap(Unicode.Scalar.init) }
    }

    static let predicates: [(name: String, holds: @Sendable (Unicode.Scalar) -> Bool)] = [
        ("isalpha", PythonText.isAlpha), ("isdecimal", PythonText.isDecimal), ("isdigit", PythonText.isDigit),
        ("isnumeric", PythonText.isNumeric), ("isspace", PythonText.isSpace), ("isupper", PythonText.isUpper),
        ("islower", PythonText.isLower), ("isprintable", PythonText.isPrintable),
        ("isidentifier", { PythonText.isIdentifier(String(Character($0))) }),
        ("continues an identifier", { PythonText.isIdentifier("a" + String(Character($0))) }),
        ("ends a line", PythonText.endsLine), ("istitle", { PythonText.isTitle(String(Character($0))) }),
    ]

    static let folder: String = {
        let file = #filePath
        return String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]) + "/Fixtures/"
    }()

    static func runs() throws -> (header: String, runs: [Run]) {
        let data = try Data(contentsOf: URL(filePath: self.folder + "characters.txt"))
        let lines = data.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        let runs = try lines.dropFirst().map { line in
            let fields = line.split(separator: " ")
            let first = try #require(UInt32(fields[0], radix: 16))
            return Run(
                points: first...(try #require(UInt32(fields[1], radix: 16))),
                predicates: Array(fields[2].utf8.prefix(self.predicates.count)),
                category: String(fields[2].suffix(2)),
                forms: fields.dropFirst(3).map { form in
                    String(
                        String.UnicodeScalarView(
                            form.split(separator: ".").compactMap { UInt32($0, radix: 16).flatMap(Unicode.Scalar.init) }
                        ))
                })
        }
        return (lines.first ?? "", runs)
    }
}

/// Every code point is what CPython says it is.
@Suite struct CharacterTests {
    private let header: String
    private let runs: [CharacterFixture.Run]

    init() throws { (self.header, self.runs) = try CharacterFixture.runs() }

    @Test func thereIsAnAnswerForEachCodePoint() {
        #expect(self.runs.reduce(0) { $0 + $1.points.count } == 0x110000 - 0x800)
        #expect(self.header.hasPrefix("CPython \(PythonText.version.python), Unicode \(PythonText.version.unicode):"))
    }

    @Test func predicatesAreThoseOfCPython() {
        for run in self.runs {
            // The table's flags have the order of the predicates; functions on top of it are asked at the ends of runs.
            let bits = run.predicates.enumerated().reduce(UInt32(0)) { bits, digit in
                digit.offset < 11 && digit.element == UInt8(ascii: "1") ? bits | 1 << UInt32(digit.offset) : bits
            }
            var value = run.points.lowerBound
            while value <= run.points.upperBound {
                let found = CharacterTable.shared.record(value).flags.rawValue & 0x7FF
                if found != bits { Issue.record("U+\(String(value, radix: 16)) has \(found), not \(bits)") }
                value += 1
            }
            for (index, predicate) in CharacterFixture.predicates.enumerated() {
                for value in [run.points.lowerBound, run.points.upperBound] {
                    guard let scalar = Unicode.Scalar(value) else { continue }
                    let holds = run.predicates[index] == UInt8(ascii: "1")
                    #expect(predicate.holds(scalar) == holds, "\(predicate.name) of U+\(String(value, radix: 16))")
                }
            }
        }
    }

    @Test func categoriesAreThoseOfCPython() {
        for run in self.runs {
            for value in run.points {
                guard let scalar = Unicode.Scalar(value), PythonText.category(scalar) != run.category else { continue }
                Issue.record("U+\(String(value, radix: 16)) is \(run.category)")
            }
        }
    }

    @Test(arguments: [
        (0, PythonText.lower as @Sendable (String) -> String), (1, PythonText.upper), (2, PythonText.title),
        (3, PythonText.casefold),
    ])
    func formsAreThoseOfCPython(index: Int, form: @Sendable (String) -> String) {
        for run in self.runs {
            // A run is asked in one text; where something changes, spaces make each code point a word of its own.
            if run.forms.isEmpty {
                let text = String(run.scalars[...])
                if form(text).utf8.elementsEqual(text.utf8) { continue }
            }
            let expected = run.scalars.map { run.forms.isEmpty ? String(Character($0)) : run.forms[index] }
            let text = run.scalars.map { String(Character($0)) }.joined(separator: " ")
            if form(text).utf8.elementsEqual(expected.joined(separator: " ").utf8) { continue }
            for (scalar, expected) in zip(run.scalars, expected) {
                let found = form(String(Character(scalar)))
                guard !found.utf8.elementsEqual(expected.utf8) else { continue }
                Issue.record("form \(index) of U+\(String(scalar.value, radix: 16)) is \(found.debugDescription)")
            }
        }
    }

    @Test func onlyTheFirstCodePointIsCapitalized() {
        for run in self.runs where !run.forms.isEmpty {
            for scalar in run.scalars {
                let found = PythonText.capitalize(String(String.UnicodeScalarView([scalar, " ", scalar])))
                let expected = run.forms[2] + " " + run.forms[0]
                #expect(found.utf8.elementsEqual(expected.utf8), "U+\(String(scalar.value, radix: 16))")
            }
        }
    }

    /// Code points are equal under `re.IGNORECASE` if the lower case of `re` is, or if CPython lists them as equal.
    @Test func onlyCasedCodePointsFold() {
        for run in self.runs where run.forms.isEmpty {
            for value in run.points {
                guard let scalar = Unicode.Scalar(value), PythonText.caseFold(scalar) != value else { continue }
                Issue.record("U+\(String(value, radix: 16)) folds")
            }
        }
        for run in self.runs where !run.forms.isEmpty {
            for (scalar, lower) in zip(run.scalars, run.scalars.indices.map { _ in run.forms[4].unicodeScalars.first })
            {
                guard let lower else { continue }
                #expect(PythonText.caseFold(scalar) == PythonText.caseFold(lower))
            }
        }
    }

    @Test(arguments: [
        ("ΟΔΟΣ", "οδος"), ("ΣΑΣ ΣΑΣ", "σας σας"), ("Σ", "σ"), ("ΑΣ.", "ας."), ("ΑΣ.Α", "ασ.α"),
        ("ΑΣ\u{301}", "ας\u{301}"),
        ("ΑΣ'Α", "ασ'α"), ("1Σ", "1σ"), ("İSTANBUL", "i̇stanbul"),
    ])
    func sigmasAreFinalWhereCPythonSaysSo(text: String, lower: String) {
        #expect(PythonText.lower(text).unicodeScalars.elementsEqual(lower.unicodeScalars))
        #expect(PythonText.lower(Array(text.unicodeScalars)[...]) == Array(lower.unicodeScalars))
    }
}
