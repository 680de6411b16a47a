internal import PythonCompat

/// A piece of a template.
struct Token {
    enum Kind {
        /// Text outside tags.
        case data
        case variableBegin, variableEnd, blockBegin, blockEnd
        case name, string, number, symbol
        case end
    }

    var kind: Kind
    /// The text, the name, the string's value or the symbol.
    var text: String
    var constant: Constant?
    var place: Place
}

/// Cuts a template into tokens, as Jinja's lexer does for the dialect.
struct Lexer {
    static let maxSource = 4 << 20

    private let source: [Unicode.Scalar]
    private let trims: Bool
    private var position = 0
    private var tokens: [Token] = []
    /// Place of `counted`, counted on from token to token.
    private var place = Place(line: 1, column: 1)
    private var counted = 0
    /// The text before ended with a line's end.
    private var startsLine = true

    static func tokens(_ source: String, _ options: SyntaxOptions) throws(SyntaxError) -> [Token] {
        guard source.utf8.count <= Self.maxSource else {
            throw SyntaxError(
                .limit, "the template has \(source.utf8.count) bytes; it may have \(Self.maxSource)")
        }
        var lexer = Lexer(source, trims: options.trims)
        try lexer.root()
        lexer.add(.end, "", at: lexer.source.count)
        return lexer.tokens
    }

    private init(_ source: String, trims: Bool) {
        var scalars: [Unicode.Scalar] = []
        var wasReturn = false
        // Python's line ends become one newline.
        for scalar in source.unicodeScalars {
            if scalar == "\n", wasReturn {
                wasReturn = false
                continue
            }
            wasReturn = scalar == "\r"
            scalars.append(wasReturn ? "\n" : scalar)
        }
        if trims, scalars.last == "\n" { scalars.removeLast() }
        self.source = scalars
        self.trims = trims
    }

    private func at(_ offset: Int) -> Unicode.Scalar? { offset < self.source.count ? self.source[offset] : nil }

    private func stands(_ text: StaticString, at offset: Int) -> Bool {
        text.withUTF8Buffer { bytes in
            guard offset + bytes.count <= self.source.count else { return false }
            for (index, byte) in bytes.enumerated() where self.source[offset + index].value != UInt32(byte) {
                return false
            }
            return true
        }
    }

    private func spaceEnd(_ offset: Int) -> Int {
        var offset = offset
        while let scalar = self.at(offset), PythonText.isSpace(scalar) { offset += 1 }
        return offset
    }

    private mutating func placed(_ offset: Int) -> Place {
        if offset < self.counted { (self.place, self.counted) = (Place(line: 1, column: 1), 0) }
        while self.counted < offset {
            if self.source[self.counted] == "\n" {
                self.place.line += 1
                self.place.column = 1
            } else {
                self.place.column += 1
            }
            self.counted += 1
        }
        return self.place
    }

    private mutating func add(_ kind: Token.Kind, _ text: String, _ constant: Constant? = nil, at offset: Int) {
        self.tokens.append(Token(kind: kind, text: text, constant: constant, place: self.placed(offset)))
    }

    private mutating func error(_ message: String, at offset: Int) -> SyntaxError {
        SyntaxError(.syntax, message, at: self.placed(offset))
    }

    private func text(_ start: Int, _ end: Int) -> String { PythonText.string(self.source[start..<end]) }

    // MARK: Text between tags

    private mutating func root() throws(SyntaxError) {
        while self.position < self.source.count {
            let start = self.position
            guard let tag = self.nextTag(from: start) else {
                self.add(.data, self.text(start, self.source.count), at: start)
                self.position = self.source.count
                return
            }
            let kind = self.source[tag + 1]
            let raw = kind == "%" ? self.rawBegin(at: tag) : nil
            let sign = self.at(tag + 2).flatMap { $0 == "-" || $0 == "+" ? $0 : nil }
            self.addData(start, tag, sign: sign, strips: kind != "{")
            self.position = raw ?? tag + (sign == nil ? 2 : 3)
            self.startsLine = self.source[self.position - 1] == "\n"
            switch kind {
            case "#": try self.comment(from: tag)
            case "%":
                if raw != nil {
                    try self.raw(from: tag)
                } else {
                    self.add(.blockBegin, "{%", at: tag)
                    try self.tag(closing: "%", from: tag)
                }
            default:
                self.add(.variableBegin, "{{", at: tag)
                try self.tag(closing: "}", from: tag)
            }
        }
    }

    private func nextTag(from start: Int) -> Int? {
        var offset = start
        while offset + 1 < self.source.count {
            if self.source[offset] == "{", ["#", "%", "{"].contains(self.source[offset + 1]) { return offset }
            offset += 1
        }
        return nil
    }

    /// The text before a tag, without the white space that the tag takes away.
    private mutating func addData(_ start: Int, _ end: Int, sign: Unicode.Scalar?, strips: Bool) {
        var end = end
        if sign == "-" {
            while end > start, PythonText.isSpace(self.source[end - 1]) { end -= 1 }
        } else if sign != "+", self.trims, strips {
            var line = end
            while line > start, self.source[line - 1] != "\n" { line -= 1 }
            if line > start || self.startsLine, self.source[line..<end].allSatisfy(PythonText.isSpace) { end = line }
        }
        if end > start { self.add(.data, self.text(start, end), at: start) }
    }

    /// Where a tag's closing mark ends that stands here; `nil` if none does.
    private func close(_ closing: Unicode.Scalar, at offset: Int) -> Int? {
        func isMark(_ offset: Int) -> Bool { self.at(offset) == closing && self.at(offset + 1) == "}" }
        // After a variable no newline is trimmed.
        let isVariable = closing == "}"
        if self.at(offset) == "+", !isVariable, isMark(offset + 1) { return offset + 3 }
        if self.at(offset) == "-", isMark(offset + 1) { return self.spaceEnd(offset + 3) }
        guard isMark(offset) else { return nil }
        return offset + 2 + (self.trims && !isVariable && self.at(offset + 2) == "\n" ? 1 : 0)
    }

    private mutating func ended(at end: Int) {
        self.position = end
        self.startsLine = self.source[end - 1] == "\n"
    }

    private mutating func comment(from start: Int) throws(SyntaxError) {
        var offset = self.position
        while offset < self.source.count {
            if let end = self.close("#", at: offset) { return self.ended(at: end) }
            offset += 1
        }
        // As Jinja does, nothing is missed where the template ends after the mark.
        guard self.position < self.source.count else { return }
        throw self.error("this comment is not closed with #}", at: start)
    }

    /// Where `{% raw %}` ends that starts here.
    private func rawBegin(at start: Int) -> Int? {
        var offset = start + 2
        if self.at(offset) == "-" || self.at(offset) == "+" { offset += 1 }
        offset = self.spaceEnd(offset)
        guard self.stands("raw", at: offset) else { return nil }
        offset = self.spaceEnd(offset + 3)
        if self.stands("-%}", at: offset) { return self.spaceEnd(offset + 3) }
        return self.stands("%}", at: offset) ? offset + 2 : nil
    }

    private mutating func raw(from start: Int) throws(SyntaxError) {
        let body = self.position
        var offset = body
        while offset + 1 < self.source.count {
            defer { offset += 1 }
            guard self.source[offset] == "{", self.source[offset + 1] == "%" else { continue }
            let sign = self.at(offset + 2).flatMap { $0 == "-" || $0 == "+" ? $0 : nil }
            var end = self.spaceEnd(offset + (sign == nil ? 2 : 3))
            guard self.stands("endraw", at: end) else { continue }
            end = self.spaceEnd(end + 6)
            guard let end = self.close("%", at: end) else { continue }
            self.addData(body, offset, sign: sign, strips: true)
            return self.ended(at: end)
        }
        guard body < self.source.count else { return }
        throw self.error("this raw block is not closed with {% endraw %}", at: start)
    }

    // MARK: Within tags

    private mutating func tag(closing: Unicode.Scalar, from start: Int) throws(SyntaxError) {
        var open: [Unicode.Scalar] = []
        while let scalar = self.at(self.position) {
            let offset = self.position
            if open.isEmpty, let end = self.close(closing, at: offset) {
                self.add(closing == "%" ? .blockEnd : .variableEnd, closing == "%" ? "%}" : "}}", at: offset)
                return self.ended(at: end)
            }
            if PythonText.isSpace(scalar) {
                self.position = self.spaceEnd(offset)
            } else if try self.number() {
                continue
            } else if Self.isNamePart(scalar) {
                try self.name()
            } else if scalar == "'" || scalar == "\"" {
                try self.string(scalar)
            } else if let symbol = self.symbol() {
                switch scalar {
                case "(": open.append(")")
                case "[": open.append("]")
                case "{": open.append("}")
                case ")", "]", "}":
                    guard let expected = open.popLast() else { throw self.error("unexpected '\(symbol)'", at: offset) }
                    guard expected == scalar else {
                        throw self.error("unexpected '\(symbol)', expected '\(expected)'", at: offset)
                    }
                default: break
                }
                self.add(.symbol, symbol, at: offset)
                self.position += symbol.utf8.count
            } else {
                throw self.error("unexpected character \(PythonText.repr(String(scalar)))", at: offset)
            }
        }
        throw self.error("this tag is not closed with \(closing)}", at: start)
    }

    private func symbol() -> String? {
        for symbol in ["//", "**", "==", "!=", ">=", "<="] as [StaticString]
        where self.stands(symbol, at: self.position) {
            return symbol.description
        }
        let scalar = self.source[self.position]
        switch scalar {
        case "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";":
            return String(scalar)
        default: return nil
        }
    }

    /// What Jinja takes as part of a name; whether it is one is asked later.
    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        PythonText.isWord(scalar) || !scalar.isASCII && PythonText.isIdentifier("a" + String(Character(scalar)))
    }

    private mutating func name() throws(SyntaxError) {
        let start = self.position
        while let scalar = self.at(self.position), Self.isNamePart(scalar) { self.position += 1 }
        let name = self.text(start, self.position)
        guard PythonText.isIdentifier(name) else {
            throw self.error("\(PythonText.repr(name)) has a character that no name may have", at: start)
        }
        self.add(.name, name, at: start)
    }

    /// The end of digits with single underscores between them; `nil` if there is none.
    private func digitsEnd(_ offset: Int, _ isDigit: (Unicode.Scalar) -> Bool) -> Int? {
        guard let first = self.at(offset), isDigit(first) else { return nil }
        var offset = offset + 1
        while let scalar = self.at(offset) {
            if isDigit(scalar) {
                offset += 1
            } else if scalar == "_", let next = self.at(offset + 1), isDigit(next) {
                offset += 2
            } else {
                break
            }
        }
        return offset
    }

    private mutating func number() throws(SyntaxError) -> Bool {
        let start = self.position
        guard let first = self.at(start), PythonText.digit(first) != nil else { return false }
        if self.at(start - 1 < 0 ? self.source.count : start - 1) != ".", let end = self.floatEnd(start) {
            let digits = self.digits(start, end)
            guard let value = Double(digits) else { throw self.error("this number can't be read", at: start) }
            self.add(.number, digits, .float(value), at: start)
            self.position = end
            return true
        }
        guard let (end, digits, base) = self.integer(start) else { return false }
        guard digits.utf8.count <= PythonNumber.mostDigits(base: base),
            let value = BigInteger(digits: digits.utf8, base: base)
        else { throw self.error("this number has too many digits", at: start) }
        self.add(.number, digits, value.int.map { .int($0) } ?? .big(value), at: start)
        self.position = end
        return true
    }

    private func integer(_ start: Int) -> (end: Int, digits: String, base: Int)? {
        func isDecimal(_ scalar: Unicode.Scalar) -> Bool { PythonText.digit(scalar) != nil }
        guard self.source[start] == "0" else {
            guard self.source[start].isASCII, let end = self.digitsEnd(start, isDecimal) else { return nil }
            return (end, self.digits(start, end), 10)
        }
        let bases: [(Unicode.Scalar, Int)] = [("b", 2), ("o", 8), ("x", 16)]
        if let mark = self.at(start + 1).map({ Unicode.Scalar(UInt8(truncatingIfNeeded: $0.value) | 0x20) }),
            self.at(start + 1)?.isASCII == true, let base = bases.first(where: { $0.0 == mark })?.1
        {
            let first = self.at(start + 2) == "_" ? start + 3 : start + 2
            let end = self.digitsEnd(first) { scalar in
                // Python reads any digits of the hexadecimal system as decimals where they are.
                guard let digit = base == 16 && !scalar.isASCII ? PythonText.digit(scalar) : scalar.hexDigit else {
                    return false
                }
                return digit < base
            }
            if let end { return (end, self.digits(first, end), base) }
        }
        guard let end = self.digitsEnd(start, { $0 == "0" }) else { return nil }
        return (end, "0", 10)
    }

    private func floatEnd(_ start: Int) -> Int? {
        func isDecimal(_ scalar: Unicode.Scalar) -> Bool { PythonText.digit(scalar) != nil }
        guard let whole = self.digitsEnd(start, isDecimal) else { return nil }
        let fraction = self.at(whole) == "." ? self.digitsEnd(whole + 1, isDecimal) : nil
        let mark = fraction ?? whole
        if self.at(mark) == "e" || self.at(mark) == "E" {
            let signed = self.at(mark + 1) == "+" || self.at(mark + 1) == "-" ? mark + 2 : mark + 1
            if let end = self.digitsEnd(signed, isDecimal) { return end }
        }
        return fraction
    }

    /// In ASCII, without underscores.
    private func digits(_ start: Int, _ end: Int) -> String {
        var digits = ""
        for scalar in self.source[start..<end] where scalar != "_" {
            if !scalar.isASCII, let digit = PythonText.digit(scalar) {
                digits += String(digit)
            } else {
                digits.unicodeScalars.append(scalar)
            }
        }
        return digits
    }

    private mutating func string(_ quote: Unicode.Scalar) throws(SyntaxError) {
        let start = self.position
        var offset = start + 1
        while let scalar = self.at(offset), scalar != quote { offset += scalar == "\\" ? 2 : 1 }
        guard offset < self.source.count else { throw self.error("this string is not closed with \(quote)", at: start) }
        let value = try self.unescaped(start + 1, offset)
        self.add(.string, value, at: start)
        self.position = offset + 1
    }

    private mutating func unescaped(_ start: Int, _ end: Int) throws(SyntaxError) -> String {
        guard self.source[start..<end].contains("\\") else { return self.text(start, end) }
        var result = String.UnicodeScalarView()
        var offset = start
        while offset < end {
            let scalar = self.source[offset]
            offset += 1
            guard scalar == "\\", offset < end else {
                result.append(scalar)
                continue
            }
            let escape = self.source[offset]
            offset += 1
            switch escape {
            case "\n": break
            case "\\", "'", "\"": result.append(escape)
            case "a": result.append("\u{7}")
            case "b": result.append("\u{8}")
            case "f": result.append("\u{C}")
            case "n": result.append("\n")
            case "r": result.append("\r")
            case "t": result.append("\t")
            case "v": result.append("\u{B}")
            case "0"..."7":
                var value = escape.value - 0x30
                var count = 1
                while count < 3, offset < end, let digit = self.source[offset].hexDigit, digit < 8 {
                    value = value * 8 + UInt32(digit)
                    offset += 1
                    count += 1
                }
                result.append(Unicode.Scalar(value) ?? "\0")
            case "x", "u", "U":
                let width = escape == "x" ? 2 : escape == "u" ? 4 : 8
                result.append(try self.hexadecimal(&offset, end, width, escape))
            case "N":
                throw SyntaxError(
                    .unsupported, "a character's name can't be used; write its number, such as \\u00e9",
                    at: self.placed(offset - 2))
            default:
                result.append("\\")
                if escape.isASCII {
                    result.append(escape)
                } else {
                    // Python writes letters beyond ASCII as escapes first, whose backslash is then taken.
                    result.append(contentsOf: PythonText.ascii(String(Character(escape))).dropFirst().unicodeScalars)
                }
            }
        }
        return String(result)
    }

    private mutating func hexadecimal(
        _ offset: inout Int, _ end: Int, _ width: Int, _ escape: Unicode.Scalar
    ) throws(SyntaxError) -> Unicode.Scalar {
        var value: UInt32 = 0
        for index in 0..<width {
            guard offset + index < end, let digit = self.source[offset + index].hexDigit else {
                throw self.error("\\\(escape) needs \(width) hexadecimal digits", at: offset - 2)
            }
            value = value << 4 | UInt32(digit)
        }
        guard let scalar = Unicode.Scalar(value) else {
            guard value > 0x10FFFF else {
                throw SyntaxError(
                    .unsupported,
                    "\\\(escape) with half of a character (a surrogate) can't be used: write the whole one",
                    at: self.placed(offset - 2))
            }
            throw self.error("\\\(escape) with a number that no character has", at: offset - 2)
        }
        offset += width
        return scalar
    }
}
