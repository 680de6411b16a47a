import ProcessTesting
import PythonCompat
import Testing

/// Answers are those of CPython to questions that nobody has thought of.
@Suite(
    .enabled("ASSAY_PYTHON is not the version that the tables were made with") {
        // Another version than that of the tables gives other answers.
        await Python.confirms("'%d.%d' % sys.version_info[:2] == '\(PythonText.version.python)'")
    }
)
struct LiveTests {
    private func ask(
        _ kind: String, _ count: Int, _ check: ([String]) throws -> String?
    ) async throws {
        let seed = Python.seed
        let cases = try await Python.table(CharacterFixture.folder + "live.py", [kind, "\(seed)", "\(count)"])
        #expect(cases.count >= count)
        var faults = 0
        for fields in cases {
            guard let found = try check(fields) else { continue }
            faults += 1
            if faults <= 40 { Issue.record("\(fields): \(found) (\(kind), seed \(seed))") }
        }
        #expect(faults == 0)
    }

    private static func spans(_ match: PythonRegex.Match, _ regex: PythonRegex) -> String {
        (0...regex.groupCount).map { group in
            match.range(of: group).map { "\($0.lowerBound).\($0.upperBound)" } ?? "-"
        }.joined(separator: " ")
    }

    private static func attempt(_ call: () throws -> String) -> String { (try? "=" + call()) ?? "!" }

    @Test func patterns() async throws {
        var tooLong = 0
        try await self.ask("patterns", 20_000) { fields in
            guard let regex = try? PythonRegex(fields[0], maxSteps: 20_000) else {
                return fields[2] == "!" ? nil : "the pattern is refused"
            }
            if fields[2] == "!" { return "the pattern is taken" }
            do throws(PatternError) {
                return try Self.difference(regex, fields)
            } catch {
                // Some random patterns take for ever.
                tooLong += 1
                return nil
            }
        }
        #expect(tooLong < 200)
    }

    private static func difference(_ regex: PythonRegex, _ fields: [String]) throws(PatternError) -> String? {
        let text = Array(fields[1].unicodeScalars)
        let found = try regex.matches(in: text).map { Self.spans($0, regex) }.joined(separator: ";")
        if found != fields[2] { return "finditer: \(found)" }
        let first = try regex.match(text).map { Self.spans($0, regex) } ?? ""
        if first != fields[3] { return "match: \(first)" }
        let whole = try regex.fullMatch(text).map { Self.spans($0, regex) } ?? ""
        if whole != fields[4] { return "fullmatch: \(whole)" }
        guard fields.count > 5 else { return nil }
        let replaced = Self.attempt { try regex.sub(fields[5], fields[1]) }
        if !replaced.utf8.elementsEqual(fields[6].utf8) { return "sub: \(replaced)" }
        let parts = try regex.split(fields[1]).map { $0.map(PythonValue.string) ?? .none }
        let split = "=" + PythonText.repr(.list(parts))
        return split.utf8.elementsEqual(fields[7].utf8) ? nil : "split: \(split)"
    }

    @Test func texts() async throws {
        try await self.ask("texts", 5000) { fields in
            let (text, characters, width) = (fields[0], fields[1], Int(fields[2]) ?? 0)
            let part = fields[3]
            let scalars = Array(text.unicodeScalars)
            func list(_ items: [String]) -> String { PythonText.repr(.list(items.map(PythonValue.string))) }
            let predicates = [
                PythonText.isAlpha(text), PythonText.isDecimal(text), PythonText.isDigit(text),
                PythonText.isNumeric(text), PythonText.isAlphanumeric(text), PythonText.isSpace(text),
                PythonText.isUpper(text), PythonText.isLower(text), PythonText.isTitle(text),
                PythonText.isIdentifier(text), PythonText.isPrintable(text), PythonText.isASCII(text),
            ]
            let found = [
                PythonText.lower(text), PythonText.upper(text), PythonText.title(text), PythonText.capitalize(text),
                PythonText.casefold(text), PythonText.swapcase(text), PythonText.strip(text), PythonText.lstrip(text),
                PythonText.rstrip(text), PythonText.strip(text, of: characters),
                PythonText.strip(text, of: characters, right: false),
                PythonText.strip(text, of: characters, left: false), list(PythonText.split(text)),
                list(PythonText.splitLines(text)), list(PythonText.splitLines(text, keepingEnds: true)),
                PythonText.expandTabs(text, size: width), PythonText.zeroFill(text, width: width),
                PythonText.justify(text, .center, width: width, fill: "é"),
                PythonText.justify(text, .left, width: width), PythonText.justify(text, .right, width: width),
                PythonText.repr(text), PythonText.ascii(PythonText.repr(text)),
                list(PythonText.split(scalars, by: part).map { String($0) }),
                PythonText.replace(text, part, with: "<>"), String(LiteralSearch(part).count(in: scalars)),
                predicates.map { $0 ? "1" : "0" }.joined(), PythonRegex.escape(text),
            ]
            for (index, (found, expected)) in zip(found, fields.dropFirst(4)).enumerated() {
                if !found.utf8.elementsEqual(expected.utf8) { return "answer \(index) is \(found.debugDescription)" }
            }
            return found.count == fields.count - 4 ? nil : "there are \(found.count) answers"
        }
    }

    @Test func numerals() async throws {
        try await self.ask("numerals", 10_000) { fields in
            let (text, base) = (fields[0], Int(fields[1]) ?? 0)
            let whole = PythonNumber.int(text).map { "=\($0)" } ?? "!"
            if whole != fields[2] { return "int: \(whole)" }
            let based = PythonNumber.int(text, base: base).map { "=\($0)" } ?? "!"
            if based != fields[3] { return "int, base \(base): \(based)" }
            let float = PythonNumber.float(text).map { "=" + PythonText.repr($0) } ?? "!"
            return float == fields[4] ? nil : "float: \(float)"
        }
    }

    private static func float(_ bits: String) -> Double { Double(bitPattern: UInt64(bits, radix: 16) ?? 0) }

    /// Two numbers are the same if their bits are; all NaN are one.
    private static func isSame(_ number: Double?, _ answer: String) -> Bool {
        guard let number else { return answer == "!" }
        guard answer.hasPrefix("=") else { return false }
        let other = Self.float(String(answer.dropFirst()))
        return number.bitPattern == other.bitPattern || (number.isNaN && other.isNaN)
    }

    @Test func numbers() async throws {
        try await self.ask("numbers", 20_000) { fields in
            let (number, digits, whole) = (Self.float(fields[0]), Int(fields[1]) ?? 0, Int(fields[2]) ?? 0)
            let text = PythonText.repr(number)
            if text != fields[3] { return "repr: \(text)" }
            let rounded = PythonNumber.round(number, digits: digits)
            if !Self.isSame(rounded, fields[4]) { return "round, \(digits) digits: \(rounded as Any)" }
            let integer = PythonNumber.round(number).map(String.init)
            if integer != (fields[5] == "!" || fields[5] == "=" ? nil : String(fields[5].dropFirst())) {
                return "round: \(integer as Any)"
            }
            let tens = PythonNumber.round(whole, digits: digits).map(String.init)
            return tens == (fields[6] == "=" ? nil : String(fields[6].dropFirst())) ? nil : "round: \(tens as Any)"
        }
    }

    /// As `repr`, but sets in order: Python's own order changes.
    private static func canonical(_ value: PythonValue) -> String {
        switch value {
        case .list(let items): "[" + items.map(Self.canonical).joined(separator: ", ") + "]"
        case .tuple(let items):
            "(" + items.map(Self.canonical).joined(separator: ", ") + (items.count == 1 ? ",)" : ")")
        case .set(let items) where !items.isEmpty:
            "{"
                + items.map(Self.canonical).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                .joined(separator: ", ") + "}"
        case .dictionary(let members):
            "{" + members.map { Self.canonical($0.key) + ": " + Self.canonical($0.value) }.joined(separator: ", ") + "}"
        default: PythonText.repr(value)
        }
    }

    @Test func literals() async throws {
        try await self.ask("literals", 20_000) { fields in
            let found: String
            do throws(PythonError) {
                found = "=" + Self.canonical(try PythonLiteral.parse(fields[0]))
            } catch {
                if error.kind == .unsupported, fields[1] != "!" { return fields[1] == "?" ? nil : "\(error)" }
                found = "!"
            }
            return found.utf8.elementsEqual(fields[1].utf8) ? nil : found.debugDescription
        }
    }

    private static let everything: [Unicode.Scalar] = (UInt32(0)...0x10FFFF).compactMap(Unicode.Scalar.init)

    private static func lengths(_ parts: [String]) -> String {
        parts.map { String($0.unicodeScalars.count) }.joined(separator: " ")
    }

    private static func filtered(
        _ scalars: [Unicode.Scalar], _ expected: String, _ holds: (Unicode.Scalar) -> Bool
    ) -> String? {
        let found = String(scalars.filter(holds)[...])
        return found.utf8.elementsEqual(expected.utf8) ? nil : Self.differences(found, expected)
    }

    private static func differences(_ found: String, _ expected: String) -> String {
        let (found, expected) = (Set(found.unicodeScalars), Set(expected.unicodeScalars))
        return "wrong: \(found.symmetricDifference(expected).map { String($0.value, radix: 16) }.sorted())"
    }

    @Test func characters() async throws {
        var text = Self.everything
        try await self.ask("characters", 0) { fields in
            let found: String
            switch fields[0] {
            case "class":
                let runs = try PythonRegex(fields[1] + "+", maxSteps: Int.max).matches(in: text).map { match in
                    String(match.range.lowerBound, radix: 16) + "-" + String(match.range.upperBound, radix: 16)
                }
                return runs.joined(separator: " ") == fields[2] ? nil : "the class differs"
            case "assigned":
                text = Array(fields[1].unicodeScalars)
                return text.count > 140_000 ? nil : "there are \(text.count)"
            case "split":
                found = Self.lengths(PythonText.split(String(Self.everything[...])))
                return found == fields[1] ? nil : "split differs"
            case "lines":
                found = Self.lengths(PythonText.splitLines(String(Self.everything[...])))
                return found == fields[1] ? nil : "splitlines differs"
            case "strip":
                return Self.filtered(Self.everything, fields[1]) { PythonText.strip([$0, "x", $0][...]).count == 1 }
            case "int":
                return Self.filtered(Self.everything, fields[1]) { PythonNumber.int(String(Character($0))) != nil }
            case "int inside":
                return Self.filtered(text, fields[1]) { PythonNumber.int("1" + String(Character($0)) + "1") != nil }
            case "float":
                return Self.filtered(text, fields[1]) {
                    PythonNumber.float(String([$0, "1", ".", "5", $0][...])) != nil
                }
            case "repr", "swapcase":
                let start = Int(fields[1]) ?? 0
                let text = String(Self.everything[start..<min(start + 4096, Self.everything.count)])
                found = fields[0] == "repr" ? PythonText.repr(text) : PythonText.swapcase(text)
                let expected = fields[0] == "swapcase" && fields[2].isEmpty ? text : fields[2]
                return found.utf8.elementsEqual(expected.utf8) ? nil : Self.differences(found, expected)
            case "digits":
                found = Self.everything.filter(PythonText.isDecimal).map { scalar in
                    PythonNumber.int(String(Character(scalar))).map(String.init) ?? "?"
                }.joined()
                return found == fields[1] ? nil : found
            default: return "what is this?"
            }
        }
    }

    /// What matches every letter that has another case, by itself and in a class.
    @Test func cases() async throws {
        var cased: [Unicode.Scalar] = []
        var folded: [UInt32: [Unicode.Scalar]] = [:]
        try await self.ask("cases", 2000) { fields in
            if fields[0] == "cased" {
                cased = Array(fields[1].unicodeScalars)
                folded = Dictionary(grouping: cased, by: PythonText.caseFold)
                return nil
            }
            let expected = Array(fields[2].unicodeScalars)
            let letter = try PythonRegex("(?i)" + fields[1]).matches(in: cased).map { cased[$0.range.lowerBound] }
            if letter != expected { return "a letter: \(letter)" }
            // A key for equality under IGNORECASE says the same.
            let key = fields[1].unicodeScalars.first.map(PythonText.caseFold) ?? 0
            if folded[key] != expected { return "folded: \(folded[key] ?? [])" }
            guard fields.count > 3 else { return nil }
            let members = try PythonRegex("(?i)[\(fields[1])\0]").matches(in: cased).map { cased[$0.range.lowerBound] }
            return members == Array(fields[3].unicodeScalars) ? nil : "a class: \(members)"
        }
    }
}
