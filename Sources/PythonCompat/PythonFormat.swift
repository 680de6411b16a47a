/// Python's format specification: how `format()` lays out a number or a text.
public struct FormatSpecification: Sendable {
    private var fill: Character = " "
    /// `<`, `>`, `^` or `=`; `nil` if none is given.
    private var align: Unicode.Scalar?
    private var sign: Unicode.Scalar?
    private var noNegativeZero = false
    private var isAlternate = false
    /// In code points, as far as a specification can say it: more than a text may have must be refused by the caller.
    public private(set) var width = 0
    private var grouping: Unicode.Scalar?
    public private(set) var precision: Int?
    private var type: Unicode.Scalar?

    /// - Parameter isNumber: Zeros before the width stand after the sign.
    public init(_ text: String, isNumber: Bool) throws(PythonError) {
        let scalars = Array(text.unicodeScalars)
        var position = 0
        func at(_ offset: Int) -> Unicode.Scalar? { offset < scalars.count ? scalars[offset] : nil }
        func isAlign(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { ["<", ">", "^", "="].contains($0) } ?? false }
        let hasFill = isAlign(at(1))
        if hasFill {
            self.fill = Character(scalars[0])
            self.align = at(1)
            position = 2
        } else if isAlign(at(0)) {
            self.align = at(0)
            position = 1
        }
        if let sign = at(position), ["+", "-", " "].contains(sign) {
            self.sign = sign
            position += 1
        }
        if at(position) == "z" {
            self.noNegativeZero = true
            position += 1
        }
        if at(position) == "#" {
            self.isAlternate = true
            position += 1
        }
        if !hasFill, at(position) == "0" {
            if self.align == nil, isNumber { self.align = "=" }
            self.fill = "0"
            position += 1
        }
        func number() throws(PythonError) -> Int? {
            let start = position
            var number = 0
            while let digit = at(position).flatMap({ PythonText.digit($0) }) {
                let (product, overflow) = number.multipliedReportingOverflow(by: 10)
                guard !overflow, product <= Int.max - digit else {
                    throw PythonError(.value, "Too many decimal digits in format string")
                }
                number = product + digit
                position += 1
            }
            return position > start ? number : nil
        }
        self.width = try number() ?? 0
        if at(position) == "," || at(position) == "_" {
            self.grouping = at(position)
            position += 1
            if at(position) == "," || at(position) == "_" {
                throw PythonError(.value, "Cannot specify both ',' and '_'.")
            }
        }
        if at(position) == "." {
            position += 1
            guard let precision = try number() else { throw PythonError(.value, "Format specifier missing precision") }
            self.precision = precision
        }
        if scalars.count - position > 1 { throw PythonError(.value, "Invalid format specifier") }
        self.type = at(position)
    }

    /// Separators go with some types only.
    private func checkGrouping() throws(PythonError) {
        guard let grouping = self.grouping else { return }
        switch self.type {
        case nil, "d", "e", "f", "g", "E", "G", "%", "F": break
        case "b", "o", "x", "X": if grouping == "_" { break } else { fallthrough }
        default:
            throw PythonError(.value, "Cannot specify '\(grouping)' with '\(self.type.map(String.init) ?? "s")'.")
        }
    }

    /// Padded to the width; zeros go after `head`, a sign or a prefix.
    private func padded(_ head: String, _ body: String, by align: Unicode.Scalar) -> String {
        let missing = self.width - PythonText.length(head) - PythonText.length(body)
        guard missing > 0 else { return head + body }
        let fill = { (count: Int) in String(repeating: self.fill, count: count) }
        switch self.align ?? align {
        case "<": return head + body + fill(missing)
        case "^": return fill(missing / 2) + head + body + fill(missing - missing / 2)
        case "=": return head + fill(missing) + body
        default: return fill(missing) + head + body
        }
    }

    /// With separators, and zeros up to the width where zeros fill it.
    private func grouped(_ digits: String, _ rest: String, head: String) -> String {
        let size = self.type.map { ["b", "o", "x", "X"].contains($0) } == true ? 4 : 3
        var groups: [Substring] = []
        var left = digits[...]
        // Zeros that fill the width are grouped, too.
        if self.fill == "0", (self.align ?? ">") == "=", self.grouping != nil {
            let room = self.width - head.utf8.count - rest.utf8.count
            func width(_ count: Int) -> Int { count + (count - 1) / size }
            var count = digits.utf8.count
            while width(count) < room { count += 1 }
            left = (String(repeating: "0", count: count - digits.utf8.count) + digits)[...]
        }
        guard let separator = self.grouping else { return digits + rest }
        while left.utf8.count > size {
            groups.append(left.suffix(size))
            left = left.dropLast(size)
        }
        groups.append(left)
        return groups.reversed().joined(separator: String(Character(separator))) + rest
    }

    private func head(_ isNegative: Bool) -> String {
        if isNegative { return "-" }
        return self.sign == "+" ? "+" : self.sign == " " ? " " : ""
    }

    private static func unknown(_ type: Unicode.Scalar, _ name: String) -> PythonError {
        PythonError(.value, "Unknown format code '\(type)' for object of type '\(name)'")
    }

    /// `format(text, specification)`.
    public func format(_ text: String) throws(PythonError) -> String {
        try self.checkGrouping()
        if self.sign != nil { throw PythonError(.value, "Sign not allowed in string format specifier") }
        if self.noNegativeZero {
            throw PythonError(.value, "Negative zero coercion (z) not allowed in string format specifier")
        }
        if self.isAlternate { throw PythonError(.value, "Alternate form (#) not allowed in string format specifier") }
        if let type = self.type, type != "s" { throw Self.unknown(type, "str") }
        if self.grouping != nil { throw PythonError(.value, "Cannot specify ',' with 's'.") }
        if self.align == "=" { throw PythonError(.value, "'=' alignment not allowed in string format specifier") }
        var text = text
        if let precision = self.precision {
            text = PythonText.slice(text, 0, min(precision, PythonText.length(text)))
        }
        return self.padded("", text, by: "<")
    }

    /// `format(number, specification)`.
    public func format(_ number: BigInteger) throws(PythonError) -> String {
        try self.checkGrouping()
        let type = self.type ?? "d"
        switch type {
        case "e", "E", "f", "F", "g", "G", "%":
            guard let double = number.double else {
                throw PythonError(.overflow, "int too large to convert to float")
            }
            return try self.format(double)
        case "b", "c", "d", "o", "x", "X", "n": break
        default: throw Self.unknown(type, "int")
        }
        if self.precision != nil { throw PythonError(.value, "Precision not allowed in integer format specifier") }
        if self.noNegativeZero {
            throw PythonError(
                .value, "Negative zero coercion (z) not allowed in format specifier with integer format code")
        }
        if type == "c" {
            if self.sign != nil {
                throw PythonError(.value, "Sign not allowed with integer format specifier 'c'")
            }
            if self.isAlternate {
                throw PythonError(.value, "Alternate form (#) not allowed with integer format specifier 'c'")
            }
            return self.padded("", try PercentFormat.character(number), by: "<")
        }
        var head = self.head(number.isNegative)
        let base = type == "b" ? 2 : type == "o" ? 8 : type == "x" || type == "X" ? 16 : 10
        var digits: String
        if base == 10 {
            digits = try PythonNumber.decimal(number.isNegative ? number.negated : number)
        } else {
            digits = String(decoding: number.digits(base: base), as: UTF8.self)
            if self.isAlternate { head += "0\(type)" }
        }
        if type == "X" { digits = digits.uppercased() }
        return self.padded(head, self.grouped(digits, "", head: head), by: ">")
    }

    /// `format(number, specification)`.
    public func format(_ number: Double) throws(PythonError) -> String {
        try self.checkGrouping()
        var number = number
        var body: String
        var suffix = ""
        let type = self.type
        switch type {
        case nil, "e", "E", "f", "F", "g", "G", "n", "%": break
        case .some(let type): throw Self.unknown(type, "float")
        }
        if type == "%" {
            number *= 100
            suffix = "%"
        }
        let precision = self.precision ?? 6
        if let special = FloatText.special(number, isUpper: type == "E" || type == "F" || type == "G") {
            body = special
        } else {
            let alternate = self.isAlternate
            switch type {
            case "e", "E": body = FloatText.exponent(number, precision, type == "e" ? "e" : "E", keepsPoint: alternate)
            case "f", "F", "%":
                body = FloatText.fixed(number, precision)
                if alternate, precision == 0 { body += "." }
            case "g", "G", "n":
                body = FloatText.general(number, precision, type == "G" ? "E" : "e", isAlternate: alternate)
            default:
                if let precision = self.precision {
                    body = FloatText.general(number, precision, "e", isAlternate: alternate, addsPoint: true)
                } else {
                    body = PythonText.repr(number.magnitude)
                }
            }
        }
        var isNegative = number.sign == .minus && !number.isNaN
        if self.noNegativeZero, isNegative, !body.utf8.contains(where: { (0x31...0x39).contains($0) }),
            number.isFinite
        {
            isNegative = false
        }
        let head = self.head(isNegative)
        let whole = body.prefix { $0.isASCII && $0.isNumber }
        let rest = body.dropFirst(whole.utf8.count) + suffix
        let laid = number.isFinite ? self.grouped(String(whole), String(rest), head: head) : body + suffix
        return self.padded(head, laid, by: ">")
    }
}

/// What stands between braces in a text that `str.format` takes.
public struct FormatField {
    public let name: [Unicode.Scalar]
    /// The letter after `!`.
    public let conversion: Unicode.Scalar?
    /// It may have fields of its own.
    public let specification: ArraySlice<Unicode.Scalar>

    /// Reads up to the closing brace, behind which `position` goes on.
    public init(_ scalars: ArraySlice<Unicode.Scalar>, _ position: inout Int) throws(PythonError) {
        let start = position
        var nesting = 1
        var bracket = false
        var end = position
        // Braces nest, but not within the brackets of a name.
        var nameEnd: Int?
        while end < scalars.endIndex {
            let scalar = scalars[end]
            if nameEnd == nil {
                if scalar == "[" { bracket = true } else if scalar == "]" { bracket = false }
                if bracket {
                    end += 1
                    continue
                }
                if scalar == ":" || scalar == "!" { nameEnd = end }
                if scalar == "{" { throw PythonError(.value, "unexpected '{' in field name") }
            }
            if scalar == "{" { nesting += 1 }
            if scalar == "}" {
                nesting -= 1
                if nesting == 0 { break }
            }
            end += 1
        }
        guard end < scalars.endIndex else { throw PythonError(.value, "expected '}' before end of string") }
        position = end + 1
        self.name = Array(scalars[start..<(nameEnd ?? end)])
        guard var mark = nameEnd else {
            (self.conversion, self.specification) = (nil, [])
            return
        }
        var conversion: Unicode.Scalar?
        if scalars[mark] == "!" {
            guard mark + 1 < end else {
                throw PythonError(.value, "end of string while looking for conversion specifier")
            }
            conversion = scalars[mark + 1]
            mark += 2
            guard mark == end || scalars[mark] == ":" else {
                throw PythonError(.value, "expected ':' after conversion specifier")
            }
        }
        self.conversion = conversion
        self.specification = mark < end ? scalars[(mark + 1)..<end] : []
    }
}

/// How `%` lays out one value: what stands between the mark and the type.
public struct PercentFormat: Sendable {
    public var isLeft = false
    /// `+`, a space or nothing, before numbers that are not negative.
    public var sign = ""
    public var isAlternate = false
    public var isZero = false
    public var width = 0
    public var precision: Int?

    public init() {}

    /// The flags that stand at `position`, which goes on behind them.
    public init(_ scalars: [Unicode.Scalar], _ position: inout Int) {
        while position < scalars.count {
            switch scalars[position] {
            case "-": self.isLeft = true
            case "+": self.sign = "+"
            case " ": if self.sign.isEmpty { self.sign = " " }
            case "#": self.isAlternate = true
            case "0": self.isZero = true
            default: return
            }
            position += 1
        }
    }

    /// For `%s`, `%r` and `%a`: cut to the precision.
    public func text(_ text: String) -> String {
        var text = text
        if let precision = self.precision {
            text = PythonText.slice(text, 0, min(precision, PythonText.length(text)))
        }
        return self.padded(text)
    }

    /// For `%c`, whose precision counts for nothing.
    public func padded(_ text: String) -> String {
        PythonText.justify(text, self.isLeft ? .left : .right, width: self.width)
    }

    /// The character with a number.
    public static func character(_ number: BigInteger) throws(PythonError) -> String {
        guard let code = number.int, (0...0x10FFFF).contains(code) else {
            throw PythonError(.overflow, "%c arg not in range(0x110000)")
        }
        guard let text = PythonText.chr(code) else {
            throw PythonError(.unsupported, "half of a character (a surrogate) can't be printed")
        }
        return text
    }

    /// For `%d`, `%i`, `%u`, `%o`, `%x` and `%X`.
    public func integer(_ number: BigInteger, _ type: Unicode.Scalar) throws(PythonError) -> String {
        var digits: String
        var head = number.isNegative ? "-" : self.sign
        switch type {
        case "o", "x", "X":
            digits = String(decoding: number.digits(base: type == "o" ? 8 : 16), as: UTF8.self)
            if type == "X" { digits = digits.uppercased() }
            if self.isAlternate { head += "0\(type)" }
        default: digits = try PythonNumber.decimal(number.isNegative ? number.negated : number)
        }
        if let precision = self.precision, digits.utf8.count < precision {
            digits = String(repeating: "0", count: precision - digits.utf8.count) + digits
        }
        return self.filled(head, digits)
    }

    /// For `%e`, `%f`, `%g` and their upper-case forms.
    public func float(_ number: Double, _ type: Unicode.Scalar) -> String {
        let precision = self.precision ?? 6
        let isUpper = ["E", "F", "G"].contains(type)
        var body: String
        if let special = FloatText.special(number, isUpper: isUpper) {
            body = special
        } else {
            switch type {
            case "e", "E":
                body = FloatText.exponent(number, precision, isUpper ? "E" : "e", keepsPoint: self.isAlternate)
            case "f", "F":
                body = FloatText.fixed(number, precision)
                if self.isAlternate, precision == 0 { body += "." }
            default:
                body = FloatText.general(number, precision, isUpper ? "E" : "e", isAlternate: self.isAlternate)
            }
        }
        return self.filled(number.sign == .minus && !number.isNaN ? "-" : self.sign, body)
    }

    private func filled(_ head: String, _ digits: String) -> String {
        let missing = self.width - head.utf8.count - digits.utf8.count
        guard missing > 0 else { return head + digits }
        if self.isLeft { return head + digits + String(repeating: " ", count: missing) }
        return self.isZero
            ? head + String(repeating: "0", count: missing) + digits
            : String(repeating: " ", count: missing) + head + digits
    }
}

/// Digits of doubles, rounded exactly.
public enum FloatText {
    /// `%.{digits}f` of a finite number without its sign.
    public static func fixed(_ value: Double, _ digits: Int) -> String { ExactDecimal(value).fixed(digits) }

    /// So many significant digits, and the exponent of the first, of a finite number without its sign.
    private static func significant(_ value: Double, _ count: Int) -> (digits: String, exponent: Int) {
        let (digits, point) = ExactDecimal(value).significant(count)
        return (String(decoding: digits, as: UTF8.self), point - 1)
    }

    static func exponent(_ value: Double, _ digits: Int, _ mark: String, keepsPoint: Bool) -> String {
        let (text, exponent) = Self.significant(value, digits + 1)
        let fraction = text.dropFirst()
        return text.prefix(1) + (fraction.isEmpty && !keepsPoint ? "" : "." + fraction) + Self.power(exponent, mark)
    }

    private static func power(_ exponent: Int, _ mark: String) -> String {
        let digits = String(exponent.magnitude)
        return mark + (exponent < 0 ? "-" : "+") + (digits.utf8.count < 2 ? "0" : "") + digits
    }

    /// - Parameter addsPoint: As `repr` does for whole numbers.
    static func general(
        _ value: Double, _ precision: Int, _ mark: String, isAlternate: Bool, addsPoint: Bool = false
    ) -> String {
        let precision = max(1, precision)
        let (digits, exponent) = Self.significant(value, precision)
        var text: String
        if exponent < -4 || exponent >= precision - (addsPoint ? 1 : 0) {
            var fraction = digits.dropFirst()
            if !isAlternate { while fraction.last == "0" { fraction.removeLast() } }
            return digits.prefix(1) + (fraction.isEmpty && !isAlternate ? "" : "." + fraction)
                + Self.power(exponent, mark)
        }
        text = Self.fixed(value, max(0, precision - 1 - exponent))
        if isAlternate {
            if !text.contains(".") { text += "." }
        } else if text.contains(".") {
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
        }
        if addsPoint, !text.contains(".") { text += ".0" }
        return text
    }

    /// `inf` and `nan`.
    public static func special(_ value: Double, isUpper: Bool) -> String? {
        guard !value.isFinite else { return nil }
        let text = value.isNaN ? "nan" : "inf"
        return isUpper ? text.uppercased() : text
    }
}
