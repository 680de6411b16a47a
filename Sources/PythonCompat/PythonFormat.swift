/// What Python raises, where a caller has to tell.
public struct PythonError: Error, Hashable {
    public enum Kind: String, Sendable, Hashable {
        case type = "TypeError"
        case value = "ValueError"
        case key = "KeyError"
        case index = "IndexError"
        case overflow = "OverflowError"
        case syntax = "SyntaxError"
        /// What Python can do and this module can't.
        case unsupported = "NotImplementedError"
    }

    public var kind: Kind
    public var message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

/// Python's formatting of values: `format(value, spec)`, `str.format` and the `%` operator.
public enum PythonFormat {
    /// Nobody needs wider fields or more digits; CPython's limit is what memory holds.
    private static let maxWidth = 1_000_000

    /// Python's format specification, as ">10,.2f".
    struct Specification {
        enum Align {
            case left
            case right
            case center
            /// After the sign.
            case inside
        }

        var fill: Unicode.Scalar = " "
        var align: Align?
        var sign: Unicode.Scalar?
        var coercesZero = false
        var isAlternate = false
        var width = 0
        var grouping: Unicode.Scalar?
        var precision: Int?
        var type: Unicode.Scalar?

        init(_ text: String, isNumber: Bool) throws(PythonError) {
            var rest = text.unicodeScalars[...]
            func alignment(_ scalar: Unicode.Scalar?) -> Align? {
                switch scalar {
                case "<": .left
                case ">": .right
                case "^": .center
                case "=": .inside
                default: nil
                }
            }
            var hasFill = false
            if let fill = rest.first, let align = alignment(rest.dropFirst().first) {
                (self.fill, self.align, hasFill) = (fill, align, true)
                rest = rest.dropFirst(2)
            } else if let align = alignment(rest.first) {
                self.align = align
                rest = rest.dropFirst()
            }
            func take(_ scalar: Unicode.Scalar) -> Bool {
                guard rest.first == scalar else { return false }
                rest.removeFirst()
                return true
            }
            if let sign = rest.first, sign == "+" || sign == "-" || sign == " " {
                self.sign = sign
                rest.removeFirst()
            }
            self.coercesZero = take("z")
            self.isAlternate = take("#")
            if !hasFill, take("0") {
                self.fill = "0"
                if self.align == nil, isNumber { self.align = .inside }
            }
            func number() throws(PythonError) -> Int? {
                let digits = rest.prefix(while: PythonText.isDecimal)
                guard !digits.isEmpty else { return nil }
                rest = rest[digits.endIndex...]
                guard let number = PythonNumber.int(String(digits)), number <= PythonFormat.maxWidth else {
                    throw PythonError(.value, "Too many decimal digits in format string")
                }
                return number
            }
            self.width = try number() ?? 0
            if take(",") { self.grouping = "," }
            if take("_") {
                guard self.grouping == nil else { throw PythonError(.value, "Cannot specify both ',' and '_'.") }
                self.grouping = "_"
            }
            if rest.first == "," {
                throw PythonError(.value, "Cannot specify both ',' and '_'.")
            }
            if take(".") {
                guard let precision = try number() else {
                    throw PythonError(.value, "Format specifier missing precision")
                }
                self.precision = precision
            }
            guard rest.count <= 1 else { throw PythonError(.value, "Invalid format specifier") }
            self.type = rest.first
            guard let grouping = self.grouping else { return }
            let isAllowed =
                switch self.type {
                case nil, "d", "e", "f", "g", "E", "G", "F", "%": true
                case "b", "o", "x", "X": grouping == "_"
                default: false
                }
            guard isAllowed else {
                throw PythonError(.value, "Cannot specify '\(grouping)' with '\(self.type ?? " ")'.")
            }
        }

        /// The text in a field of `width`; what `head` code points stand at the beginning counts as a sign.
        func padded(_ text: String, head: Int = 0, byDefault align: Align) -> String {
            let missing = self.width - text.unicodeScalars.count
            guard missing > 0 else { return text }
            let left =
                switch self.align ?? align {
                case .left: 0
                case .right, .inside: missing
                case .center: missing / 2
                }
            var result = String.UnicodeScalarView()
            let scalars = Array(text.unicodeScalars)
            let head = self.align == .inside ? head : 0
            result.append(contentsOf: scalars[..<head])
            result.append(contentsOf: repeatElement(self.fill, count: left))
            result.append(contentsOf: scalars[head...])
            result.append(contentsOf: repeatElement(self.fill, count: missing - left))
            return String(result)
        }
    }

    // MARK: format()

    /// Python's `format(value, spec)`.
    public static func format(_ value: PythonValue, _ spec: String) throws(PythonError) -> String {
        if spec.isEmpty { return PythonText.str(value) }
        switch value {
        case .string(let text): return try Self.format(text, spec)
        case .int(let number): return try Self.format(number, spec)
        case .bool(let flag): return try Self.format(flag ? 1 : 0, spec)
        case .float(let number): return try Self.format(number, try Specification(spec, isNumber: true))
        case .complex: throw PythonError(.unsupported, "complex numbers can't be formatted with '\(spec)' here")
        default:
            throw PythonError(.type, "unsupported format string passed to \(value.typeName).__format__")
        }
    }

    private static func format(_ text: String, _ spec: String) throws(PythonError) -> String {
        let spec = try Specification(spec, isNumber: false)
        guard spec.type == nil || spec.type == "s" else { throw Self.unknown(spec.type, "str") }
        if spec.sign == " " { throw PythonError(.value, "Space not allowed in string format specifier") }
        if spec.sign != nil { throw PythonError(.value, "Sign not allowed in string format specifier") }
        if spec.coercesZero {
            throw PythonError(.value, "Negative zero coercion (z) not allowed in string format specifier")
        }
        if spec.isAlternate { throw PythonError(.value, "Alternate form (#) not allowed in string format specifier") }
        if spec.grouping != nil { throw PythonError(.value, "Cannot specify ',' with 's'.") }
        if spec.align == .inside {
            throw PythonError(.value, "'=' alignment not allowed in string format specifier")
        }
        let cut = spec.precision.map { String(text.unicodeScalars.prefix($0)) } ?? text
        return spec.padded(cut, byDefault: .left)
    }

    private static func unknown(_ type: Unicode.Scalar?, _ name: String) -> PythonError {
        PythonError(.value, "Unknown format code '\(type ?? " ")' for object of type '\(name)'")
    }

    private static func format(_ number: Int, _ text: String) throws(PythonError) -> String {
        let spec = try Specification(text, isNumber: true)
        let base: Int
        switch spec.type {
        case "e", "E", "f", "F", "g", "G", "%": return try Self.format(Double(number), spec)
        case nil, "d", "n": base = 10
        case "b": base = 2
        case "o": base = 8
        case "x", "X": base = 16
        case "c": base = 0
        case let type: throw Self.unknown(type, "int")
        }
        if spec.precision != nil { throw PythonError(.value, "Precision not allowed in integer format specifier") }
        if spec.coercesZero {
            throw PythonError(.value, "Negative zero coercion (z) not allowed in integer format specifier")
        }
        if base == 0 {
            if spec.sign != nil { throw PythonError(.value, "Sign not allowed with integer format specifier 'c'") }
            if spec.isAlternate {
                throw PythonError(.value, "Alternate form (#) not allowed with integer format specifier 'c'")
            }
            return spec.padded(try Self.character(number, "%c arg not in range(0x110000)"), byDefault: .right)
        }
        var digits = String(number.magnitude, radix: base)
        let prefix = spec.isAlternate && base != 10 ? "0" + String(spec.type ?? "d") : ""
        if spec.type == "X" { digits = digits.uppercased() }
        return Self.number(digits, "", isNegative: number < 0, prefix: prefix, spec, groupSize: base == 10 ? 3 : 4)
    }

    private static func character(_ number: Int, _ message: String) throws(PythonError) -> String {
        guard (0..<0x110000).contains(number) else { throw PythonError(.overflow, message) }
        guard let scalar = Unicode.Scalar(UInt32(number)) else {
            throw PythonError(.unsupported, "half of a surrogate pair can't stand in a text here")
        }
        return String(Character(scalar))
    }

    private static func format(_ number: Double, _ spec: Specification) throws(PythonError) -> String {
        var type = spec.type ?? "r"
        var precision = spec.precision
        var addsPoint = false
        switch type {
        case "r":
            addsPoint = true
            if precision != nil { type = "g" }
        case "n": type = "g"
        case "e", "E", "f", "F", "g", "G", "%": break
        default: throw Self.unknown(type, "float")
        }
        var number = number
        if type == "%" {
            number *= 100
            type = "f"
        }
        precision = precision ?? 6
        var text = Self.digits(
            number, type, precision ?? 6, isAlternate: spec.isAlternate, addsPoint: addsPoint)
        var isNegative = number.sign == .minus && !number.isNaN
        if spec.coercesZero, isNegative, !text.utf8.contains(where: { (0x31...0x39).contains($0) }), number.isFinite {
            isNegative = false
        }
        if spec.type == "%" { text += "%" }
        let whole = text.utf8.prefix { (0x30...0x39).contains($0) }
        return Self.number(
            String(decoding: whole, as: UTF8.self),
            String(decoding: text.utf8.dropFirst(whole.count), as: UTF8.self), isNegative: isNegative, prefix: "", spec,
            groupSize: 3)
    }

    /// Puts together a sign, a prefix, digits and what follows them.
    private static func number(
        _ digits: String, _ tail: String, isNegative: Bool, prefix: String, _ spec: Specification, groupSize: Int
    ) -> String {
        let sign = isNegative ? "-" : spec.sign.map { $0 == "-" ? "" : String($0) } ?? ""
        let head = sign + prefix
        var digits = Array(digits.utf8)
        if spec.fill == "0", spec.align == .inside, !digits.isEmpty {
            let room = spec.width - head.utf8.count - tail.utf8.count
            var count = digits.count
            func length(_ count: Int) -> Int { spec.grouping == nil ? count : count + (count - 1) / groupSize }
            while length(count) < room { count += 1 }
            digits = [UInt8](repeating: UInt8(ascii: "0"), count: count - digits.count) + digits
        }
        var grouped: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            if let grouping = spec.grouping, index > 0, (digits.count - index) % groupSize == 0 {
                grouped.append(UInt8(ascii: grouping))
            }
            grouped.append(digit)
        }
        return spec.padded(
            head + String(decoding: grouped, as: UTF8.self) + tail, head: head.utf8.count, byDefault: .right)
    }

    /// A number's magnitude as "e", "f", "g" or "r" and their capital forms write it.
    private static func digits(
        _ number: Double, _ type: Unicode.Scalar, _ precision: Int, isAlternate: Bool, addsPoint: Bool
    ) -> String {
        let isCapital = ("A"..."Z").contains(type)
        guard number.isFinite else {
            let text = number.isNaN ? "nan" : "inf"
            return isCapital ? text.uppercased() : text
        }
        switch type {
        case "f", "F":
            let text = ExactDecimal(number).fixed(precision)
            return precision == 0 && isAlternate ? text + "." : text
        case "e", "E":
            let (digits, point) = ExactDecimal(number).significant(precision + 1)
            return Self.scientific(digits, point, isCapital: isCapital, isAlternate: isAlternate)
        case "g", "G":
            let precision = max(precision, 1)
            var (digits, point) = ExactDecimal(number).significant(precision)
            if !isAlternate { while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() } }
            if point <= -4 || point > precision - (addsPoint ? 1 : 0) {
                return Self.scientific(digits, point, isCapital: isCapital, isAlternate: isAlternate)
            }
            return Self.positional(digits, point, isAlternate: isAlternate, addsPoint: addsPoint)
        default:
            let text = PythonText.repr(abs(number))
            guard isAlternate, !text.utf8.contains(UInt8(ascii: ".")) else { return text }
            // Only a mantissa of one digit has no point.
            return text.prefix(1) + "." + text.dropFirst(1)
        }
    }

    /// Digits that follow a decimal point at `point`, as `repr` writes them.
    static func shortest(_ digits: [UInt8], _ point: Int) -> String {
        point <= -4 || point > 16
            ? Self.scientific(digits, point, isCapital: false, isAlternate: false)
            : Self.positional(digits, point, isAlternate: false, addsPoint: true)
    }

    private static func scientific(_ digits: [UInt8], _ point: Int, isCapital: Bool, isAlternate: Bool) -> String {
        var text = String(decoding: digits.prefix(1), as: UTF8.self)
        if digits.count > 1 || isAlternate { text += "." }
        text += String(decoding: digits.dropFirst(), as: UTF8.self)
        let exponent = point - 1
        let size = String(exponent.magnitude)
        return text + (isCapital ? "E" : "e") + (exponent < 0 ? "-" : "+") + (size.utf8.count < 2 ? "0" : "") + size
    }

    private static func positional(_ digits: [UInt8], _ point: Int, isAlternate: Bool, addsPoint: Bool) -> String {
        var text: [UInt8] = []
        let zero = UInt8(ascii: "0")
        for index in 0..<max(point, 0) { text.append(index < digits.count ? digits[index] : zero) }
        if text.isEmpty { text.append(zero) }
        let fraction =
            [UInt8](repeating: zero, count: max(-point, 0)) + (point < digits.count ? digits[max(point, 0)...] : [])
        if !fraction.isEmpty || isAlternate { text.append(UInt8(ascii: ".")) }
        text.append(contentsOf: fraction)
        if fraction.isEmpty, addsPoint { text.append(contentsOf: isAlternate ? [zero] : [UInt8(ascii: "."), zero]) }
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: str.format

    /// Python's `template.format(*arguments, **named)`.
    ///
    /// - Throws: `PythonError`, also for attributes: values have none here.
    public static func format(
        _ template: String, _ arguments: [PythonValue], _ named: [(name: String, value: PythonValue)] = []
    ) throws(PythonError) -> String {
        var filler = TemplateFiller(arguments: arguments, named: named)
        return try filler.filled(Array(template.unicodeScalars)[...], depth: 2)
    }

    /// The state of one `str.format`.
    private struct TemplateFiller {
        let arguments: [PythonValue]
        let named: [(name: String, value: PythonValue)]
        private var next = 0
        private var isAutomatic: Bool?

        init(arguments: [PythonValue], named: [(name: String, value: PythonValue)]) {
            self.arguments = arguments
            self.named = named
        }

        mutating func filled(_ template: CodePoints, depth: Int) throws(PythonError) -> String {
            guard depth >= 0 else { throw PythonError(.value, "Max string recursion exceeded") }
            var result = String.UnicodeScalarView()
            var rest = template
            while let scalar = rest.popFirst() {
                if scalar == "}" {
                    guard rest.popFirst() == "}" else {
                        throw PythonError(.value, "Single '}' encountered in format string")
                    }
                    result.append("}")
                } else if scalar != "{" {
                    result.append(scalar)
                } else if rest.first == "{" {
                    rest.removeFirst()
                    result.append("{")
                } else {
                    let field = try Self.field(&rest)
                    result.append(contentsOf: try self.replacement(field, depth: depth).unicodeScalars)
                }
            }
            return String(result)
        }

        /// What stands up to the brace that closes a field, which is taken as well.
        private static func field(_ rest: inout CodePoints) throws(PythonError) -> CodePoints {
            guard !rest.isEmpty else { throw PythonError(.value, "Single '{' encountered in format string") }
            var open = 1
            var isIndex = false
            for index in rest.indices {
                switch rest[index] {
                case "[": isIndex = true
                case "]": isIndex = false
                case "{" where !isIndex: open += 1
                case "}" where !isIndex: open -= 1
                default: break
                }
                guard open == 0 else { continue }
                defer { rest = rest[(index + 1)...] }
                return rest[..<index]
            }
            throw PythonError(.value, "expected '}' before end of string")
        }

        private mutating func replacement(_ field: CodePoints, depth: Int) throws(PythonError) -> String {
            var end = field.startIndex
            var isIndex = false
            while end < field.endIndex, isIndex || (field[end] != ":" && field[end] != "!") {
                if field[end] == "[" { isIndex = true } else if field[end] == "]" { isIndex = false }
                if field[end] == "{" { throw PythonError(.value, "unexpected '{' in field name") }
                end += 1
            }
            var value = try self.value(of: field[..<end])
            var spec = field[end...].dropFirst()
            if end < field.endIndex, field[end] == "!" {
                guard let conversion = spec.popFirst() else {
                    throw PythonError(.value, "end of string while looking for conversion specifier")
                }
                guard spec.isEmpty || spec.popFirst() == ":" else {
                    throw PythonError(.value, "expected ':' after conversion specifier")
                }
                switch conversion {
                case "s": value = .string(PythonText.str(value))
                case "r": value = .string(PythonText.repr(value))
                case "a": value = .string(PythonText.ascii(value))
                default: throw PythonError(.value, "Unknown conversion specifier '\(conversion)'")
                }
            }
            let text = spec.contains("{") || spec.contains("}") ? try self.filled(spec, depth: depth - 1) : String(spec)
            return try PythonFormat.format(value, text)
        }

        private mutating func value(of name: CodePoints) throws(PythonError) -> PythonValue {
            let first = name.prefix { $0 != "." && $0 != "[" }
            var rest = name[first.endIndex...]
            var value: PythonValue
            let number = first.allSatisfy(PythonText.isDecimal) ? PythonNumber.int(String(first)) : nil
            if first.isEmpty || number != nil {
                guard self.isAutomatic ?? first.isEmpty == first.isEmpty else {
                    throw PythonError(
                        .value, "cannot switch between manual field specification and automatic field numbering")
                }
                self.isAutomatic = first.isEmpty
                let index = number ?? self.next
                if first.isEmpty { self.next += 1 }
                guard self.arguments.indices.contains(index) else {
                    throw PythonError(.index, "Replacement index \(index) out of range for positional args tuple")
                }
                value = self.arguments[index]
            } else {
                let text = String(first)
                guard let member = self.named.last(where: { PythonText.equal($0.name, text) }) else {
                    throw PythonError(.key, PythonText.repr(text))
                }
                value = member.value
            }
            while let mark = rest.popFirst() {
                guard mark == "[" else {
                    throw PythonError(.unsupported, "a value has no attributes here: '\(String(rest))'")
                }
                guard let close = rest.firstIndex(of: "]"), close > rest.startIndex else {
                    throw PythonError(.value, "Missing ']' in format string")
                }
                value = try value.item(String(rest[..<close]))
                rest = rest[(close + 1)...]
                if let next = rest.first, next != "[", next != "." {
                    throw PythonError(.value, "Only '.' or '[' may follow ']' in format field specifier")
                }
            }
            return value
        }
    }

    // MARK: The % operator

    /// Python's `template % value`; a tuple gives several values, a dictionary those with names.
    public static func percent(_ template: String, _ value: PythonValue) throws(PythonError) -> String {
        var filler = PercentFiller(value)
        return try filler.filled(template)
    }

    /// The state of one `%` operation.
    private struct PercentFiller {
        private struct Field {
            var isLeft = false
            var isZero = false
            var isAlternate = false
            var sign: Unicode.Scalar?
            var width = 0
            var precision: Int?
        }

        private let arguments: [PythonValue]
        private let mapping: PythonValue?
        private var next = 0
        /// Whether the one value counts as used: a mapping need not be.
        private var isUsed: Bool

        init(_ value: PythonValue) {
            if case .tuple(let items) = value {
                (self.arguments, self.mapping, self.isUsed) = (items, nil, false)
            } else {
                let isMapping =
                    switch value {
                    case .dictionary, .list, .bytes: true
                    default: false
                    }
                (self.arguments, self.mapping, self.isUsed) = ([value], isMapping ? value : nil, isMapping)
            }
        }

        private mutating func argument() throws(PythonError) -> PythonValue {
            guard self.next < self.arguments.count else {
                throw PythonError(.type, "not enough arguments for format string")
            }
            self.next += 1
            return self.arguments[self.next - 1]
        }

        mutating func filled(_ template: String) throws(PythonError) -> String {
            var result = String.UnicodeScalarView()
            var rest = Array(template.unicodeScalars)[...]
            while let scalar = rest.popFirst() {
                guard scalar == "%" else {
                    result.append(scalar)
                    continue
                }
                result.append(contentsOf: try self.field(&rest).unicodeScalars)
            }
            guard self.isUsed || self.next >= self.arguments.count else {
                throw PythonError(.type, "not all arguments converted during string formatting")
            }
            return String(result)
        }

        private mutating func field(_ rest: inout CodePoints) throws(PythonError) -> String {
            var field = Field()
            var keyed: PythonValue?
            if rest.first == "(" {
                guard let mapping = self.mapping else { throw PythonError(.type, "format requires a mapping") }
                rest.removeFirst()
                var key: [Unicode.Scalar] = []
                var open = 1
                while open > 0 {
                    guard let scalar = rest.popFirst() else { throw PythonError(.value, "incomplete format key") }
                    if scalar == "(" { open += 1 } else if scalar == ")" { open -= 1 }
                    if open > 0 { key.append(scalar) }
                }
                keyed = try mapping.member(String(key[...]))
                self.isUsed = true
            }
            flags: while let scalar = rest.first {
                switch scalar {
                case "-": field.isLeft = true
                case "+": field.sign = "+"
                case " ": if field.sign == nil { field.sign = " " }
                case "#": field.isAlternate = true
                case "0": field.isZero = true
                default: break flags
                }
                rest.removeFirst()
            }
            if let width = try self.number(&rest) {
                field.width = abs(width)
                if width < 0 { field.isLeft = true }
            }
            if rest.first == "." {
                rest.removeFirst()
                field.precision = max(try self.number(&rest) ?? 0, 0)
            }
            if let length = rest.first, length == "h" || length == "l" || length == "L" { rest.removeFirst() }
            guard let type = rest.popFirst() else { throw PythonError(.value, "incomplete format") }
            if type == "%" { return "%" }
            let value: PythonValue
            if let keyed { value = keyed } else { value = try self.argument() }
            return try Self.text(value, type, field)
        }

        private mutating func number(_ rest: inout CodePoints) throws(PythonError) -> Int? {
            if rest.first == "*" {
                rest.removeFirst()
                guard let number = try self.argument().integer else { throw PythonError(.type, "* wants int") }
                guard abs(number) <= PythonFormat.maxWidth else { throw PythonError(.value, "width too big") }
                return number
            }
            let digits = rest.prefix(while: PythonText.isASCIIDigit)
            guard !digits.isEmpty else { return nil }
            rest = rest[digits.endIndex...]
            guard let number = Int(String(digits)), number <= PythonFormat.maxWidth else {
                throw PythonError(.value, "width too big")
            }
            return number
        }

        private static func text(
            _ value: PythonValue, _ type: Unicode.Scalar, _ field: Field
        ) throws(PythonError) -> String {
            var (sign, prefix, body) = ("", "", "")
            var isNumber = true
            switch type {
            case "s", "r", "a":
                isNumber = false
                body =
                    type == "s" ? PythonText.str(value) : type == "r" ? PythonText.repr(value) : PythonText.ascii(value)
                if let precision = field.precision { body = String(body.unicodeScalars.prefix(precision)) }
            case "c":
                isNumber = false
                if case .string(let text) = value, text.unicodeScalars.count == 1 {
                    body = text
                } else if let number = value.integer {
                    body = try PythonFormat.character(number, "%c arg not in range(0x110000)")
                } else {
                    throw PythonError(.type, "%c requires int or char")
                }
            case "d", "i", "u", "o", "x", "X":
                let base = type == "o" ? 8 : type == "x" || type == "X" ? 16 : 10
                if case .float(let number) = value, base == 10 {
                    guard number.isFinite else {
                        throw PythonError(
                            number.isNaN ? .value : .overflow,
                            "cannot convert float \(number.isNaN ? "NaN" : "infinity") to integer")
                    }
                    let whole = number.rounded(.towardZero)
                    (sign, body) = (whole < 0 ? "-" : "", ExactDecimal(whole).fixed(0))
                } else if let number = value.integer {
                    (sign, body) = (number < 0 ? "-" : "", String(number.magnitude, radix: base))
                } else {
                    throw PythonError(
                        .type,
                        base == 10
                            ? "%\(type) format: a real number is required, not \(value.typeName)"
                            : "%\(type) format: an integer is required, not \(value.typeName)")
                }
                if let precision = field.precision, body.utf8.count < precision {
                    body = String(repeating: "0", count: precision - body.utf8.count) + body
                }
                if field.isAlternate, base != 10 { prefix = "0" + String(type) }
                if type == "X" { body = body.uppercased() }
            case "e", "E", "f", "F", "g", "G":
                let number: Double
                if case .float(let given) = value {
                    number = given
                } else if let given = value.integer {
                    number = Double(given)
                } else {
                    throw PythonError(.type, "must be real number, not \(value.typeName)")
                }
                sign = number.sign == .minus && !number.isNaN ? "-" : ""
                body = PythonFormat.digits(
                    number, type, field.precision ?? 6, isAlternate: field.isAlternate, addsPoint: false)
            default:
                throw PythonError(
                    .value, "unsupported format character '\(type)' (0x\(String(type.value, radix: 16)))")
            }
            if isNumber, sign.isEmpty, let positive = field.sign { sign = String(positive) }
            let missing = max(field.width - (sign + prefix + body).unicodeScalars.count, 0)
            if field.isLeft { return sign + prefix + body + String(repeating: " ", count: missing) }
            if isNumber, field.isZero { return sign + prefix + String(repeating: "0", count: missing) + body }
            return String(repeating: " ", count: missing) + sign + prefix + body
        }
    }
}

extension PythonValue {
    /// The name of its type in Python.
    public var typeName: String {
        switch self {
        case .none: "NoneType"
        case .bool: "bool"
        case .int: "int"
        case .float: "float"
        case .complex: "complex"
        case .string: "str"
        case .bytes: "bytes"
        case .list: "list"
        case .tuple: "tuple"
        case .set: "set"
        case .dictionary: "dict"
        case .other(let type, _, _): type
        }
    }

    /// An integer or boolean as a number.
    fileprivate var integer: Int? {
        switch self {
        case .int(let number): number
        case .bool(let flag): flag ? 1 : 0
        default: nil
        }
    }

    /// What `value[key]` gives in `str.format`: digits are an index.
    fileprivate func item(_ key: String) throws(PythonError) -> PythonValue {
        guard PythonText.isDecimal(key), let index = PythonNumber.int(key) else { return try self.member(key) }
        switch self {
        case .list(let items), .tuple(let items):
            guard items.indices.contains(index) else {
                throw PythonError(.index, "\(self.typeName) index out of range")
            }
            return items[index]
        case .string(let text):
            guard let scalar = text.unicodeScalars.dropFirst(index).first else {
                throw PythonError(.index, "string index out of range")
            }
            return .string(String(Character(scalar)))
        case .dictionary(let members):
            guard let member = members.last(where: { $0.key.integer == index }) else { throw PythonError(.key, key) }
            return member.value
        default: throw PythonError(.type, "'\(self.typeName)' object is not subscriptable")
        }
    }

    /// What `value[key]` gives for a text.
    fileprivate func member(_ key: String) throws(PythonError) -> PythonValue {
        guard case .dictionary(let members) = self else {
            throw PythonError(.type, "\(self.typeName) indices must be integers or slices, not str")
        }
        for member in members {
            if case .string(let name) = member.key, PythonText.equal(name, key) { return member.value }
        }
        throw PythonError(.key, PythonText.repr(key))
    }
}
