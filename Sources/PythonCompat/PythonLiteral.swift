/// Python's `ast.literal_eval`, as CPython 3.11 reads it.
///
/// Not to be had, and an error that says so: integers beyond 64 bits, `...` and surrogates.
public struct PythonLiteral {
    /// As in CPython's tokenizer.
    private static let maxDepth = 200

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0

    /// The value of a literal that fills `text`; `nil` if it is none.
    public static func evaluate(_ text: String) -> PythonValue? { try? Self.parse(text) }

    /// The value of a literal that fills `text`.
    ///
    /// - Throws: `PythonError` with the kind that CPython raises.
    public static func parse(_ text: String) throws(PythonError) -> PythonValue {
        var scalars: [Unicode.Scalar] = []
        var isBehindReturn = false
        for scalar in text.unicodeScalars.drop(while: { $0 == " " || $0 == "\t" }) {
            if scalar == "\0" { throw PythonError(.value, "a NUL can't stand in a literal") }
            if scalar == "\r" {
                scalars.append("\n")
            } else if scalar != "\n" || !isBehindReturn {
                scalars.append(scalar)
            }
            isBehindReturn = scalar == "\r"
        }
        var literal = PythonLiteral(scalars: scalars)
        try literal.skipBlankLines()
        let operand = try literal.expressions()
        try literal.skipBlankLines()
        guard literal.next == nil else { throw literal.error() }
        return operand
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private var next: Unicode.Scalar? { self.position < self.scalars.count ? self.scalars[self.position] : nil }

    private func error(_ message: String = "this is no literal") -> PythonError {
        PythonError(.syntax, "\(message), at character \(self.position + 1)")
    }

    private func malformed() -> PythonError {
        PythonError(.value, "a literal can't have an expression in it, as before character \(self.position + 1)")
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard self.next == scalar else { return false }
        self.position += 1
        return true
    }

    /// Space between tokens; inside of brackets lines may end, too.
    private mutating func skipSpace() throws(PythonError) {
        while let scalar = self.next {
            switch scalar {
            case " ", "\t", "\u{C}": self.position += 1
            case "\n" where self.depth > 0: self.position += 1
            case "#": while let scalar = self.next, scalar != "\n" { self.position += 1 }
            case "\\":
                guard self.position + 1 < self.scalars.count, self.scalars[self.position + 1] == "\n" else {
                    throw self.error("a backslash must stand at a line's end")
                }
                self.position += 2
                if self.next == nil { throw self.error("a line must follow the backslash") }
            default: return
            }
        }
    }

    /// Lines with nothing but space and comments; the next one must not be indented.
    private mutating func skipBlankLines() throws(PythonError) {
        while true {
            let isLineStart = self.position == 0 || self.scalars[self.position - 1] == "\n"
            let start = self.position
            try self.skipSpace()
            if self.take("\n") { continue }
            let space = self.scalars[start..<self.position]
            if isLineStart, !space.contains("#"),
                space.reversed().prefix(while: { $0 != "\u{C}" }).contains(where: { $0 == " " || $0 == "\t" })
            {
                throw self.error("the line is indented")
            }
            return
        }
    }

    /// One expression, or several with commas between: a tuple.
    private mutating func expressions() throws(PythonError) -> PythonValue {
        let first = try self.expression()
        guard self.next == "," else { return first }
        var items = [first]
        while self.take(",") {
            try self.skipSpace()
            if self.next == nil || self.next == "\n" || self.next == ")" { break }
            items.append(try self.expression())
        }
        return .tuple(items)
    }

    /// A value, or a sum of a real and an imaginary number; the space after it is taken, too.
    private mutating func expression() throws(PythonError) -> PythonValue {
        let left = try self.signed()
        guard let sign = self.next, sign == "+" || sign == "-" else { return left.value }
        self.position += 1
        try self.skipSpace()
        let right = try self.atom()
        guard left.isNumber, right.isNumber, case .complex(let real, let imaginary) = right.value else {
            throw self.malformed()
        }
        let number: Double
        switch left.value {
        case .int(let value): number = Double(value)
        case .float(let value): number = value
        default: throw self.malformed()
        }
        if self.next == "+" || self.next == "-" { throw self.malformed() }
        // CPython makes a complex number of the left one first.
        return sign == "+"
            ? .complex(real: number + real, imaginary: 0 + imaginary)
            : .complex(real: number - real, imaginary: 0 - imaginary)
    }

    /// A value, and whether it is a number that a sign or a sum may have.
    private struct Operand {
        var value: PythonValue
        var isNumber = false
    }

    private mutating func signed() throws(PythonError) -> Operand {
        try self.skipSpace()
        guard let sign = self.next, sign == "+" || sign == "-" else { return try self.atom() }
        self.position += 1
        try self.skipSpace()
        if self.next == "+" || self.next == "-" { throw self.malformed() }
        if sign == "-", let least = try self.leastInteger() { return Operand(value: .int(least), isNumber: true) }
        let operand = try self.atom()
        guard operand.isNumber else { throw self.malformed() }
        guard sign == "-" else { return operand }
        switch operand.value {
        case .int(let number): return Operand(value: .int(-number), isNumber: true)
        case .float(let number): return Operand(value: .float(-number), isNumber: true)
        case .complex(let real, let imaginary):
            return Operand(value: .complex(real: -real, imaginary: -imaginary), isNumber: true)
        default: throw self.malformed()
        }
    }

    /// The magnitude of the least integer of 64 bits is in none.
    private mutating func leastInteger() throws(PythonError) -> Int? {
        let digits = Array("9223372036854775808".unicodeScalars)
        guard self.scalars[self.position...].starts(with: digits) else { return nil }
        let end = self.position + digits.count
        if end < self.scalars.count {
            let next = self.scalars[end]
            if PythonText.isWord(next) || next == "." { return nil }
        }
        self.position = end
        try self.skipSpace()
        return Int.min
    }

    private mutating func atom() throws(PythonError) -> Operand {
        guard let scalar = self.next else { throw self.error("the text ends where a value is expected") }
        var operand: Operand
        switch scalar {
        case "[": operand = Operand(value: .list(try self.items(until: "]")))
        case "(": operand = try self.parentheses()
        case "{": operand = Operand(value: try self.braces())
        case "0"..."9": operand = try self.number()
        case ".":
            guard self.position + 1 < self.scalars.count, PythonText.isASCIIDigit(self.scalars[self.position + 1])
            else { throw PythonError(.unsupported, "an ellipsis is no value here") }
            operand = try self.number()
        case "'", "\"": operand = Operand(value: try self.strings())
        default:
            let word = self.scalars[self.position...].prefix(while: PythonText.isWord)
            guard word.endIndex < self.scalars.count, word.count <= 2, !word.isEmpty,
                self.scalars[word.endIndex] == "'" || self.scalars[word.endIndex] == "\""
            else {
                operand = try self.word(word)
                break
            }
            operand = Operand(value: try self.strings())
        }
        try self.skipSpace()
        return operand
    }

    private mutating func word(_ word: CodePoints) throws(PythonError) -> Operand {
        self.position = word.endIndex
        switch String(word) {
        case "True": return Operand(value: .bool(true))
        case "False": return Operand(value: .bool(false))
        case "None": return Operand(value: .none)
        case "set":
            try self.skipSpace()
            guard self.take("(") else { throw self.malformed() }
            self.depth += 1
            try self.skipSpace()
            self.depth -= 1
            guard self.take(")") else { throw self.malformed() }
            return Operand(value: .set([]))
        default: throw word.isEmpty ? self.error() : self.malformed()
        }
    }

    /// Goes into brackets.
    private mutating func open() throws(PythonError) {
        self.depth += 1
        guard self.depth <= Self.maxDepth else {
            throw self.error("brackets are nested more than \(Self.maxDepth) deep")
        }
        self.position += 1
        try self.skipSpace()
    }

    private mutating func close(_ scalar: Unicode.Scalar) throws(PythonError) {
        guard self.take(scalar) else { throw self.error("\(scalar) or a comma is expected here") }
        self.depth -= 1
    }

    private mutating func items(until close: Unicode.Scalar) throws(PythonError) -> [PythonValue] {
        try self.open()
        var items: [PythonValue] = []
        while self.next != close {
            items.append(try self.expression())
            guard self.take(",") else { break }
            try self.skipSpace()
        }
        try self.close(close)
        return items
    }

    private mutating func parentheses() throws(PythonError) -> Operand {
        try self.open()
        if self.next == ")" {
            try self.close(")")
            return Operand(value: .tuple([]))
        }
        let start = self.position
        let value = try self.expressions()
        // Parentheses around one number change nothing; around one with a sign it is an expression.
        let isSigned = self.scalars[start] == "+" || self.scalars[start] == "-"
        try self.close(")")
        let isNumber =
            switch value {
            case .int, .float, .complex: !isSigned && !self.isSum(from: start)
            default: false
            }
        return Operand(value: value, isNumber: isNumber)
    }

    /// Whether a sign stands between two values in what has been read from `start` on.
    private func isSum(from start: Int) -> Bool {
        let text = self.scalars[start..<self.position]
        return zip(text, text.dropFirst()).contains { before, sign in
            (sign == "+" || sign == "-") && before != "e" && before != "E"
        }
    }

    private mutating func braces() throws(PythonError) -> PythonValue {
        try self.open()
        if self.next == "}" {
            try self.close("}")
            return .dictionary([])
        }
        var members: [(key: PythonValue, value: PythonValue)] = []
        var items: [PythonValue] = []
        // A colon after the first one makes it a dictionary.
        var isDictionary: Bool?
        while self.next != "}" {
            let key = try self.expression()
            if self.next == ":", isDictionary != false {
                isDictionary = true
                self.position += 1
                try self.skipSpace()
                members.append((key, try self.expression()))
            } else if isDictionary != true {
                isDictionary = false
                items.append(key)
            } else {
                throw self.error("a colon is expected here")
            }
            guard self.take(",") else { break }
            try self.skipSpace()
        }
        try self.close("}")
        guard isDictionary == true else { return .set(try Self.unique(items)) }
        var kept: [(key: PythonValue, value: PythonValue)] = []
        for member in members {
            try Self.checkHashable(member.key)
            if let index = kept.firstIndex(where: { $0.key.isEqual(to: member.key) }) {
                kept[index].value = member.value
            } else {
                kept.append(member)
            }
        }
        return .dictionary(kept)
    }

    private static func unique(_ items: [PythonValue]) throws(PythonError) -> [PythonValue] {
        var kept: [PythonValue] = []
        for item in items {
            try Self.checkHashable(item)
            if !kept.contains(where: { $0.isEqual(to: item) }) { kept.append(item) }
        }
        return kept
    }

    private static func checkHashable(_ value: PythonValue) throws(PythonError) {
        switch value {
        case .list, .set, .dictionary: throw PythonError(.type, "unhashable type: '\(value.typeName)'")
        case .tuple(let items): for item in items { try Self.checkHashable(item) }
        default: break
        }
    }

    // MARK: Numbers

    private mutating func number() throws(PythonError) -> Operand {
        let start = self.position
        let text = self.scalars[start...].prefix { scalar in
            scalar.isASCII && (PythonText.isWord(scalar) || scalar == ".")
        }
        var end = text.endIndex
        let isPrefixed = text.count > 1 && text.first == "0" && "xXoObB".unicodeScalars.contains(text[start + 1])
        // The sign of an exponent belongs to the number.
        if !isPrefixed, end < self.scalars.count, let last = text.last, last == "e" || last == "E",
            self.scalars[end] == "+" || self.scalars[end] == "-",
            text.dropLast().contains(where: PythonText.isASCIIDigit)
        {
            end = self.scalars[(end + 1)...].prefix { $0.isASCII && PythonText.isWord($0) }.endIndex
        }
        var digits = String(self.scalars[start..<end])
        self.position = end
        if let next = self.next, PythonText.isWord(next) { throw self.error("this is no number") }
        if isPrefixed {
            guard let value = PythonNumber.int(digits, base: 0) else { throw self.noNumber(digits, isInteger: true) }
            return Operand(value: .int(value), isNumber: true)
        }
        let isImaginary = digits.utf8.last == UInt8(ascii: "j") || digits.utf8.last == UInt8(ascii: "J")
        if isImaginary { digits.removeLast() }
        let isInteger = digits.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }
        if isInteger, !isImaginary {
            guard let value = PythonNumber.int(digits, base: 0) else { throw self.noNumber(digits, isInteger: true) }
            return Operand(value: .int(value), isNumber: true)
        }
        guard let first = digits.utf8.first, first == UInt8(ascii: ".") || (0x30...0x39).contains(first),
            let value = PythonNumber.float(digits)
        else { throw self.noNumber(digits, isInteger: false) }
        return Operand(value: isImaginary ? .complex(real: 0, imaginary: value) : .float(value), isNumber: true)
    }

    private func noNumber(_ digits: String, isInteger: Bool) -> PythonError {
        if isInteger, PythonNumber.float(digits) != nil, digits.utf8.first != UInt8(ascii: "0") {
            return PythonError(.unsupported, "the integer \(digits) is not in 64 bits")
        }
        return self.error("\(digits) is no number")
    }

    // MARK: Strings

    /// Adjacent strings are one.
    private mutating func strings() throws(PythonError) -> PythonValue {
        var text: [UInt32] = []
        var isBytes: Bool?
        while true {
            let start = self.position
            let prefix = self.scalars[start...].prefix { $0 != "'" && $0 != "\"" && PythonText.isWord($0) }
            guard prefix.count <= 2, prefix.endIndex < self.scalars.count,
                self.scalars[prefix.endIndex] == "'" || self.scalars[prefix.endIndex] == "\""
            else { break }
            self.position = prefix.endIndex
            let (isRaw, hasBytes): (Bool, Bool)
            switch PythonText.lower(String(prefix)) {
            case "", "u": (isRaw, hasBytes) = (false, false)
            case "r": (isRaw, hasBytes) = (true, false)
            case "b": (isRaw, hasBytes) = (false, true)
            case "br", "rb": (isRaw, hasBytes) = (true, true)
            case "f", "fr", "rf": throw self.malformed()
            default: throw self.error()
            }
            guard isBytes == nil || isBytes == hasBytes else { throw self.error("text and bytes can't be mixed") }
            isBytes = hasBytes
            try self.string(isRaw: isRaw, isBytes: hasBytes, to: &text)
            try self.skipSpace()
        }
        if isBytes == true { return .bytes(text.map { UInt8(truncatingIfNeeded: $0) }) }
        var view = String.UnicodeScalarView()
        for point in text {
            guard let scalar = Unicode.Scalar(point) else {
                throw PythonError(.unsupported, "half of a surrogate pair can't stand in a text here")
            }
            view.append(scalar)
        }
        return .string(String(view))
    }

    private mutating func string(isRaw: Bool, isBytes: Bool, to text: inout [UInt32]) throws(PythonError) {
        let mark = self.scalars[self.position]
        let isTriple =
            self.scalars[self.position...].prefix(3).allSatisfy { $0 == mark } && self.position + 2 < self.scalars.count
        self.position += isTriple ? 3 : 1
        while let scalar = self.next {
            self.position += 1
            if scalar == mark {
                guard isTriple else { return }
                if self.scalars[self.position...].prefix(2).elementsEqual([mark, mark]) {
                    self.position += 2
                    return
                }
            }
            if scalar == "\n", !isTriple { break }
            if isBytes, !scalar.isASCII { throw self.error("bytes can have ASCII only") }
            guard scalar == "\\" else {
                text.append(scalar.value)
                continue
            }
            guard let escaped = self.next else { break }
            if isBytes, !escaped.isASCII { throw self.error("bytes can have ASCII only") }
            self.position += 1
            if isRaw {
                text += [scalar.value, escaped.value]
            } else {
                try self.escape(escaped, isBytes: isBytes, to: &text)
            }
        }
        throw self.error("a string does not end")
    }

    private mutating func escape(
        _ escaped: Unicode.Scalar, isBytes: Bool, to text: inout [UInt32]
    ) throws(PythonError) {
        switch escaped {
        case "\n": break
        case "\\", "'", "\"": text.append(escaped.value)
        case "a": text.append(0x07)
        case "b": text.append(0x08)
        case "f": text.append(0x0C)
        case "n": text.append(0x0A)
        case "r": text.append(0x0D)
        case "t": text.append(0x09)
        case "v": text.append(0x0B)
        case "0"..."7":
            var value = escaped.value - 0x30
            for _ in 0..<2 {
                guard let digit = self.next, ("0"..."7").contains(digit) else { break }
                value = value * 8 + (digit.value - 0x30)
                self.position += 1
            }
            text.append(isBytes ? value & 0xFF : value)
        case "x": text.append(try self.hexadecimal(2))
        case "u" where !isBytes: text.append(try self.hexadecimal(4))
        case "U" where !isBytes:
            let point = try self.hexadecimal(8)
            guard point < 0x110000 else { throw self.error("there is no such code point") }
            text.append(point)
        case "N" where !isBytes:
            guard self.take("{"), let close = self.scalars[self.position...].firstIndex(of: "}"),
                let named = CharacterNames.scalar(named: String(self.scalars[self.position..<close]))
            else { throw PythonError(.unsupported, "this name of a character is not known here") }
            self.position = close + 1
            text.append(named.value)
        // Python leaves what it does not know.
        default: text += [UInt32(UInt8(ascii: "\\")), escaped.value]
        }
    }

    private mutating func hexadecimal(_ count: Int) throws(PythonError) -> UInt32 {
        let digits = self.scalars[self.position...].prefix(count)
        guard digits.count == count, digits.allSatisfy({ $0.isASCII && $0.properties.isHexDigit }),
            let point = UInt32(String(digits), radix: 16)
        else { throw self.error("\(count) hexadecimal digits are expected here") }
        self.position += count
        return point
    }
}

extension PythonValue {
    /// Python's `==`: numbers of different types can be equal, texts are by their code points.
    public func isEqual(to other: PythonValue) -> Bool {
        if let (a, b) = self.complexNumber, let (c, d) = other.complexNumber {
            if case .int(let whole) = self.asInteger, case .int(let otherWhole) = other.asInteger {
                return whole == otherWhole
            }
            return a == c && b == d && self.isExact(as: other)
        }
        switch (self, other) {
        case (.none, .none): return true
        case (.string(let a), .string(let b)): return PythonText.equal(a, b)
        case (.bytes(let a), .bytes(let b)): return a == b
        case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
            return a.count == b.count && zip(a, b).allSatisfy { $0.isEqual(to: $1) }
        case (.set(let a), .set(let b)):
            return a.count == b.count && a.allSatisfy { item in b.contains { $0.isEqual(to: item) } }
        case (.dictionary(let a), .dictionary(let b)):
            return a.count == b.count
                && a.allSatisfy { member in
                    b.contains { $0.key.isEqual(to: member.key) && $0.value.isEqual(to: member.value) }
                }
        default: return false
        }
    }

    private var asInteger: PythonValue {
        if case .bool(let flag) = self { .int(flag ? 1 : 0) } else { self }
    }

    private var complexNumber: (Double, Double)? {
        switch self.asInteger {
        case .int(let number): (Double(number), 0)
        case .float(let number): (number, 0)
        case .complex(let real, let imaginary): (real, imaginary)
        default: nil
        }
    }

    /// Whether an integer that a floating-point number is compared with is that number, and not only near it.
    private func isExact(as other: PythonValue) -> Bool {
        guard case .int(let whole) = self.asInteger else {
            guard case .int = other.asInteger else { return true }
            return other.isExact(as: self)
        }
        return other.complexNumber.map { Int(exactly: $0.0) == whole } ?? true
    }
}
