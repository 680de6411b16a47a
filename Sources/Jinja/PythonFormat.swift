internal import PythonCompat

/// How a number or a text is laid out: Python's format specification.
private struct Specification {
    var fill: Character = " "
    /// `<`, `>`, `^` or `=`; `nil` if none is given.
    var align: Unicode.Scalar?
    var sign: Unicode.Scalar?
    var noNegativeZero = false
    var isAlternate = false
    var width = 0
    var grouping: Unicode.Scalar?
    var precision: Int?
    var type: Unicode.Scalar?

    /// - Parameter isNumber: Zeros before the width stand after the sign.
    init(_ text: String, isNumber: Bool, _ run: Run) throws(JinjaError) {
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
        func number() throws(JinjaError) -> Int? {
            let start = position
            var number = 0
            while let digit = at(position).flatMap({ Text.digit($0) }) {
                let (product, overflow) = number.multipliedReportingOverflow(by: 10)
                guard !overflow, product <= Int.max - digit else {
                    throw run.error(.value, "Too many decimal digits in format string")
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
                throw run.error(.value, "Cannot specify both ',' and '_'.")
            }
        }
        if at(position) == "." {
            position += 1
            guard let precision = try number() else { throw run.error(.value, "Format specifier missing precision") }
            self.precision = precision
        }
        if scalars.count - position > 1 { throw run.error(.value, "Invalid format specifier") }
        self.type = at(position)
        try run.check(bytes: self.width)
        try run.check(bytes: self.precision ?? 0)
        if let grouping = self.grouping {
            switch self.type {
            case nil, "d", "e", "f", "g", "E", "G", "%", "F": break
            case "b", "o", "x", "X": if grouping == "_" { break } else { fallthrough }
            default:
                throw run.error(.value, "Cannot specify '\(grouping)' with '\(self.type.map(String.init) ?? "s")'.")
            }
        }
    }

    /// Padded to the width; zeros go after `head`, a sign or a prefix.
    func padded(_ head: String, _ body: String, by align: Unicode.Scalar) -> String {
        let missing = self.width - Text.length(head) - Text.length(body)
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
    func grouped(_ digits: String, _ rest: String, head: String) -> String {
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
}

/// Digits of doubles, rounded exactly.
enum FloatText {
    /// `%.{digits}f` of a finite number without its sign.
    static func fixed(_ value: Double, _ digits: Int) -> String { ExactDecimal(value).fixed(digits) }

    static func powerOfTen(_ exponent: Int) -> BigInteger {
        var (result, square, rest) = (BigInteger(1), BigInteger(10), exponent)
        while rest > 0 {
            if rest & 1 == 1 { result = result * square }
            rest >>= 1
            if rest > 0 { square = square * square }
        }
        return result
    }

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
    static func special(_ value: Double, isUpper: Bool) -> String? {
        guard !value.isFinite else { return nil }
        let text = value.isNaN ? "nan" : "inf"
        return isUpper ? text.uppercased() : text
    }
}

// MARK: - format()

extension Run {
    /// Python's `format(value, specification)`.
    func format(_ value: Value, _ text: String) throws(JinjaError) -> String {
        switch value {
        case .string(let string), .markup(let string): return try self.format(string, text)
        case .bool(let flag):
            if text.isEmpty { return flag ? "True" : "False" }
            return try self.format(BigInteger(flag ? 1 : 0), text)
        case .int(let number): return text.isEmpty ? String(number) : try self.format(BigInteger(number), text)
        case .big(let number): return text.isEmpty ? try self.decimal(number) : try self.format(number, text)
        case .float(let number): return try self.format(number, try Specification(text, isNumber: true, self))
        case .object(let object as Value.Foreign) where !text.isEmpty:
            return try self.raising { () throws(PythonError) in try object.value.format(text) }
        default:
            guard text.isEmpty else {
                throw self.error(.type, "unsupported format string passed to \(value.typeName).__format__")
            }
            return try self.str(value)
        }
    }

    private func unknown(_ type: Unicode.Scalar, _ name: String) -> JinjaError {
        self.error(.value, "Unknown format code '\(type)' for object of type '\(name)'")
    }

    private func format(_ string: String, _ text: String) throws(JinjaError) -> String {
        guard !text.isEmpty else { return string }
        let specification = try Specification(text, isNumber: false, self)
        if specification.sign != nil { throw self.error(.value, "Sign not allowed in string format specifier") }
        if specification.noNegativeZero {
            throw self.error(.value, "Negative zero coercion (z) not allowed in string format specifier")
        }
        if specification.isAlternate {
            throw self.error(.value, "Alternate form (#) not allowed in string format specifier")
        }
        if let type = specification.type, type != "s" { throw self.unknown(type, "str") }
        if specification.grouping != nil { throw self.error(.value, "Cannot specify ',' with 's'.") }
        if specification.align == "=" {
            throw self.error(.value, "'=' alignment not allowed in string format specifier")
        }
        var string = string
        if let precision = specification.precision {
            string = Text.slice(string, 0, min(precision, Text.length(string)))
        }
        return specification.padded("", string, by: "<")
    }

    private func sign(_ isNegative: Bool, _ specification: Specification) -> String {
        if isNegative { return "-" }
        return specification.sign == "+" ? "+" : specification.sign == " " ? " " : ""
    }

    private func format(_ number: BigInteger, _ text: String) throws(JinjaError) -> String {
        let specification = try Specification(text, isNumber: true, self)
        let type = specification.type ?? "d"
        switch type {
        case "e", "E", "f", "F", "g", "G", "%":
            return try self.format(try self.double(Value(number)), specification)
        case "b", "c", "d", "o", "x", "X", "n": break
        default: throw self.unknown(type, "int")
        }
        if specification.precision != nil {
            throw self.error(.value, "Precision not allowed in integer format specifier")
        }
        if specification.noNegativeZero {
            throw self.error(
                .value, "Negative zero coercion (z) not allowed in format specifier with integer format code")
        }
        if type == "c" {
            if specification.sign != nil {
                throw self.error(.value, "Sign not allowed with integer format specifier 'c'")
            }
            if specification.isAlternate {
                throw self.error(.value, "Alternate form (#) not allowed with integer format specifier 'c'")
            }
            guard let code = number.int, (0...0x10FFFF).contains(code) else {
                throw self.error(.overflow, "%c arg not in range(0x110000)")
            }
            return specification.padded("", try self.character(code), by: "<")
        }
        var head = self.sign(number.isNegative, specification)
        let base = type == "b" ? 2 : type == "o" ? 8 : type == "x" || type == "X" ? 16 : 10
        var digits: String
        if base == 10 {
            digits = try self.decimal(number.isNegative ? number.negated : number)
        } else {
            digits = String(decoding: number.digits(base: base), as: UTF8.self)
            if specification.isAlternate { head += "0\(type)" }
        }
        if type == "X" { digits = digits.uppercased() }
        return specification.padded(head, specification.grouped(digits, "", head: head), by: ">")
    }

    private func character(_ code: Int) throws(JinjaError) -> String {
        guard let scalar = Unicode.Scalar(UInt32(code)) else {
            throw self.error(.unsupported, "half of a character (a surrogate) can't be printed")
        }
        return String(Character(scalar))
    }

    private func format(_ number: Double, _ specification: Specification) throws(JinjaError) -> String {
        var number = number
        var body: String
        var suffix = ""
        let type = specification.type
        switch type {
        case nil, "e", "E", "f", "F", "g", "G", "n", "%": break
        case .some(let type): throw self.unknown(type, "float")
        }
        if type == "%" {
            number *= 100
            suffix = "%"
        }
        let precision = specification.precision ?? 6
        try self.charge(precision)
        if let special = FloatText.special(number, isUpper: type == "E" || type == "F" || type == "G") {
            body = special
        } else {
            let alternate = specification.isAlternate
            switch type {
            case "e", "E": body = FloatText.exponent(number, precision, type == "e" ? "e" : "E", keepsPoint: alternate)
            case "f", "F", "%":
                body = FloatText.fixed(number, precision)
                if alternate, precision == 0 { body += "." }
            case "g", "G", "n":
                body = FloatText.general(number, precision, type == "G" ? "E" : "e", isAlternate: alternate)
            default:
                if let precision = specification.precision {
                    body = FloatText.general(number, precision, "e", isAlternate: alternate, addsPoint: true)
                } else {
                    body = PythonText.repr(number.magnitude)
                }
            }
        }
        var isNegative = number.sign == .minus && !number.isNaN
        if specification.noNegativeZero, isNegative, !body.utf8.contains(where: { (0x31...0x39).contains($0) }),
            number.isFinite
        {
            isNegative = false
        }
        let head = self.sign(isNegative, specification)
        let whole = body.prefix { $0.isASCII && $0.isNumber }
        let rest = body.dropFirst(whole.utf8.count) + suffix
        let laid =
            number.isFinite ? specification.grouped(String(whole), String(rest), head: head) : body + suffix
        return specification.padded(head, laid, by: ">")
    }
}

// MARK: - %

extension Run {
    private struct Percent {
        var isLeft = false
        var sign = ""
        var isAlternate = false
        var isZero = false
        var width = 0
        var precision: Int?
    }

    /// Python's `format % value`.
    func percent(_ format: String, _ value: Value, escapes: Bool) throws(JinjaError) -> String {
        var arguments: [Value]
        var mapping: Value?
        if case .tuple(let tuple) = value {
            arguments = tuple.items
        } else {
            arguments = [value]
            switch value {
            case .list, .dict, .undefined: mapping = value
            case .object(let object): if object is RangeObject || object is NamespaceObject { mapping = value }
            default: break
            }
        }
        let scalars = Array(format.unicodeScalars)
        try self.charge(scalars.count / 16)
        var result = ""
        var position = 0
        var used = 0
        var usesMapping = false
        func next() throws(JinjaError) -> Value {
            guard used < arguments.count else { throw self.error(.type, "not enough arguments for format string") }
            used += 1
            return arguments[used - 1]
        }
        while position < scalars.count {
            let start = position
            while position < scalars.count, scalars[position] != "%" { position += 1 }
            if position > start { result += Text.string(scalars[start..<position]) }
            guard position < scalars.count else { break }
            position += 1
            if position < scalars.count, scalars[position] == "%" {
                result += "%"
                position += 1
                continue
            }
            var keyed: Value?
            if position < scalars.count, scalars[position] == "(" {
                guard let mapping else { throw self.error(.type, "format requires a mapping") }
                var depth = 1
                let first = position + 1
                position += 1
                while position < scalars.count, depth > 0 {
                    if scalars[position] == "(" { depth += 1 } else if scalars[position] == ")" { depth -= 1 }
                    position += 1
                }
                guard depth == 0 else { throw self.error(.value, "incomplete format key") }
                keyed = try self.subscripted(mapping, .string(Text.string(scalars[first..<position - 1])))
                usesMapping = true
                arguments = keyed.map { [$0] } ?? []
                used = 0
            }
            let layout = try self.layout(scalars, &position, next)
            guard position < scalars.count else { throw self.error(.value, "incomplete format") }
            let type = scalars[position]
            position += 1
            let value = try next()
            guard "diuoxXeEfFgGcrsa".unicodeScalars.contains(type) else {
                throw self.error(.value, "unsupported format character '\(type)' at index \(position - 1)")
            }
            result += try self.percent(type, layout, value, escapes: escapes)
            try self.check(bytes: result.utf8.count)
        }
        if !usesMapping, mapping == nil, used < arguments.count {
            throw self.error(.type, "not all arguments converted during string formatting")
        }
        return result
    }

    private func layout(
        _ scalars: [Unicode.Scalar], _ position: inout Int, _ next: () throws(JinjaError) -> Value
    ) throws(JinjaError) -> Percent {
        var layout = Percent()
        flags: while position < scalars.count {
            switch scalars[position] {
            case "-": layout.isLeft = true
            case "+": layout.sign = "+"
            case " ": if layout.sign.isEmpty { layout.sign = " " }
            case "#": layout.isAlternate = true
            case "0": layout.isZero = true
            default: break flags
            }
            position += 1
        }
        func number() throws(JinjaError) -> Int? {
            if position < scalars.count, scalars[position] == "*" {
                position += 1
                let value = try next()
                if case .big = value { throw self.error(.overflow, "Python int too large to convert to C ssize_t") }
                guard case .int(let number)? = Number.asInteger(value) else {
                    throw self.error(.type, "* wants int")
                }
                return number
            }
            var number: Int?
            while position < scalars.count, let digit = scalars[position].hexDigit, digit < 10 {
                number = (number ?? 0) * 10 + digit
                position += 1
                guard (number ?? 0) < 1 << 40 else { throw self.error(.value, "width too big") }
            }
            return number
        }
        layout.width = try number() ?? 0
        if layout.width < 0 {
            layout.isLeft = true
            layout.width = layout.width == Int.min ? Int.max : -layout.width
        }
        if position < scalars.count, scalars[position] == "." {
            position += 1
            layout.precision = max(0, try number() ?? 0)
        }
        if position < scalars.count, ["h", "l", "L"].contains(scalars[position]) { position += 1 }
        try self.check(bytes: layout.width)
        try self.check(bytes: layout.precision ?? 0)
        return layout
    }

    /// Python's `value[key]`.
    func subscripted(_ value: Value, _ key: Value) throws(JinjaError) -> Value {
        switch value {
        case .dict(let dict):
            guard let found = try self.value(of: key, in: dict) else {
                throw self.error(.lookup, "KeyError: \(try self.repr(key))")
            }
            return found
        case .undefined(let undefined): throw self.error(undefined)
        case .list, .tuple, .string, .markup:
            guard Number.asInteger(key) != nil else {
                throw self.error(.type, "\(value.typeName) indices must be integers or slices, not \(key.typeName)")
            }
            let item = try self.item(key, of: value)
            if case .undefined(let undefined) = item { throw self.error(.lookup, undefined.message) }
            return item
        case .object(let range as RangeObject):
            guard Number.asInteger(key) != nil else {
                throw self.error(.type, "range indices must be integers or slices, not \(key.typeName)")
            }
            guard let place = self.place(key, range.count) else {
                throw self.error(.lookup, "range object index out of range")
            }
            return range.item(place)
        default: throw self.error(.type, "'\(value.typeName)' object is not subscriptable")
        }
    }

    private func percent(
        _ type: Unicode.Scalar, _ layout: Percent, _ value: Value, escapes: Bool
    ) throws(JinjaError) -> String {
        switch type {
        case "s", "r", "a":
            var text = type == "s" ? try self.str(value) : try self.repr(value)
            if type == "a" { text = PythonText.ascii(text) }
            // A markup's arguments are made safe; a safe one stays as it is.
            if escapes { text = type == "s" ? try self.escaped(value) : Text.escape(text) }
            if let precision = layout.precision { text = Text.slice(text, 0, min(precision, Text.length(text))) }
            return PythonText.justify(text, layout.isLeft ? .left : .right, width: layout.width)
        case "c":
            return PythonText.justify(
                try self.percentCharacter(value, escapes), layout.isLeft ? .left : .right, width: layout.width)
        case "d", "i", "u", "o", "x", "X": return try self.percentInteger(type, layout, value, escapes)
        default: return try self.percentFloat(type, layout, value, escapes)
        }
    }

    private func percentCharacter(_ value: Value, _ escapes: Bool) throws(JinjaError) -> String {
        if !escapes, let text = value.text {
            guard Text.length(text) == 1 else { throw self.error(.type, "%c requires int or char") }
            return text
        }
        guard !escapes, let number = Number.integer(value) else { throw self.error(.type, "%c requires int or char") }
        guard let code = number.int, (0...0x10FFFF).contains(code) else {
            throw self.error(.overflow, "%c arg not in range(0x110000)")
        }
        return try self.character(code)
    }

    private func percentInteger(
        _ type: Unicode.Scalar, _ layout: Percent, _ value: Value, _ escapes: Bool
    ) throws(JinjaError) -> String {
        let isDecimal = ["d", "i", "u"].contains(type)
        let number: BigInteger
        if let integer = Number.integer(value), !escapes || isDecimal {
            number = integer
        } else if isDecimal, case .float(let float) = value {
            number = try self.truncated(float)
        } else if escapes, isDecimal, value.text != nil || value.isUndefined {
            // A markup's helper asks int() of it.
            guard let integer = Number.integer(try self.integer(value)) else { return "" }
            number = integer
        } else if isDecimal, case .undefined(let undefined) = value {
            throw self.error(undefined)
        } else {
            throw self.error(
                .type,
                isDecimal
                    ? "%\(type) format: a real number is required, not \(value.typeName)"
                    : "%\(type) format: an integer is required, not \(value.typeName)")
        }
        var digits: String
        var head = number.isNegative ? "-" : layout.sign
        switch type {
        case "o", "x", "X":
            digits = String(decoding: number.digits(base: type == "o" ? 8 : 16), as: UTF8.self)
            if type == "X" { digits = digits.uppercased() }
            if layout.isAlternate { head += "0\(type)" }
        default: digits = try self.decimal(number.isNegative ? number.negated : number)
        }
        if let precision = layout.precision, digits.utf8.count < precision {
            digits = String(repeating: "0", count: precision - digits.utf8.count) + digits
        }
        return Self.filled(head, digits, layout)
    }

    private static func filled(_ head: String, _ digits: String, _ layout: Percent) -> String {
        let missing = layout.width - head.utf8.count - digits.utf8.count
        guard missing > 0 else { return head + digits }
        if layout.isLeft { return head + digits + String(repeating: " ", count: missing) }
        return layout.isZero
            ? head + String(repeating: "0", count: missing) + digits
            : String(repeating: " ", count: missing) + head + digits
    }

    func truncated(_ number: Double) throws(JinjaError) -> BigInteger {
        guard !number.isNaN else { throw self.error(.value, "cannot convert float NaN to integer") }
        guard let whole = BigInteger(exactly: number.rounded(.towardZero)) else {
            throw self.error(.overflow, "cannot convert float infinity to integer")
        }
        return whole
    }

    private func percentFloat(
        _ type: Unicode.Scalar, _ layout: Percent, _ value: Value, _ escapes: Bool
    ) throws(JinjaError) -> String {
        let number: Double
        if escapes, let text = value.text {
            guard let parsed = PythonNumber.float(text) else {
                throw self.error(.value, "could not convert string to float: \(PythonText.repr(text))")
            }
            number = parsed
        } else if case .undefined(let undefined) = value {
            throw self.error(undefined)
        } else {
            number = try self.double(value)
        }
        let precision = layout.precision ?? 6
        try self.charge(precision)
        let isUpper = ["E", "F", "G"].contains(type)
        var body: String
        if let special = FloatText.special(number, isUpper: isUpper) {
            body = special
        } else {
            switch type {
            case "e", "E":
                body = FloatText.exponent(number, precision, isUpper ? "E" : "e", keepsPoint: layout.isAlternate)
            case "f", "F":
                body = FloatText.fixed(number, precision)
                if layout.isAlternate, precision == 0 { body += "." }
            default:
                body = FloatText.general(number, precision, isUpper ? "E" : "e", isAlternate: layout.isAlternate)
            }
        }
        let head = number.sign == .minus && !number.isNaN ? "-" : layout.sign
        return Self.filled(head, body, layout)
    }
}

// MARK: - str.format

extension Run {
    /// Python's `str.format`, or what the sandbox has in its place.
    func format(
        _ text: String, _ arguments: Arguments, mapping: Value? = nil, escapes: Bool
    ) throws(JinjaError) -> String {
        var automatic: Int? = 0
        var usesNumbers = false
        return try self.format(
            Array(text.unicodeScalars)[...], arguments, mapping, escapes, depth: 2, &automatic, &usesNumbers)
    }

    private func format(
        _ scalars: ArraySlice<Unicode.Scalar>, _ arguments: Arguments, _ mapping: Value?, _ escapes: Bool,
        depth: Int, _ automatic: inout Int?, _ usesNumbers: inout Bool
    ) throws(JinjaError) -> String {
        guard depth > 0 else { throw self.error(.value, "Max string recursion exceeded") }
        var result = ""
        var position = scalars.startIndex
        while position < scalars.endIndex {
            let scalar = scalars[position]
            position += 1
            if scalar == "{" || scalar == "}" {
                if position < scalars.endIndex, scalars[position] == scalar {
                    result.unicodeScalars.append(scalar)
                    position += 1
                    continue
                }
                guard scalar == "{" else {
                    throw self.error(.value, "Single '}' encountered in format string")
                }
                guard position < scalars.endIndex else {
                    throw self.error(.value, "Single '{' encountered in format string")
                }
                let field = try self.field(scalars, &position)
                result += try self.formatted(field, arguments, mapping, escapes, depth, &automatic, &usesNumbers)
                try self.check(bytes: result.utf8.count)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private struct Field {
        var name: [Unicode.Scalar]
        var conversion: Unicode.Scalar?
        var specification: ArraySlice<Unicode.Scalar>
    }

    /// Up to the closing brace.
    private func field(_ scalars: ArraySlice<Unicode.Scalar>, _ position: inout Int) throws(JinjaError) -> Field {
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
                if scalar == "{" { throw self.error(.value, "unexpected '{' in field name") }
            }
            if scalar == "{" { nesting += 1 }
            if scalar == "}" {
                nesting -= 1
                if nesting == 0 { break }
            }
            end += 1
        }
        guard end < scalars.endIndex else { throw self.error(.value, "expected '}' before end of string") }
        position = end + 1
        let name = Array(scalars[start..<(nameEnd ?? end)])
        guard var mark = nameEnd else { return Field(name: name, conversion: nil, specification: []) }
        var conversion: Unicode.Scalar?
        if scalars[mark] == "!" {
            guard mark + 1 < end else {
                throw self.error(.value, "end of string while looking for conversion specifier")
            }
            conversion = scalars[mark + 1]
            mark += 2
            guard mark == end || scalars[mark] == ":" else {
                throw self.error(.value, "expected ':' after conversion specifier")
            }
        }
        return Field(
            name: name, conversion: conversion, specification: mark < end ? scalars[(mark + 1)..<end] : [])
    }

    private func formatted(
        _ field: Field, _ arguments: Arguments, _ mapping: Value?, _ escapes: Bool, _ depth: Int,
        _ automatic: inout Int?, _ usesNumbers: inout Bool
    ) throws(JinjaError) -> String {
        var value = try self.fieldValue(field.name, arguments, mapping, escapes, &automatic, &usesNumbers)
        switch field.conversion {
        case nil: break
        case "s": value = .string(try self.str(value))
        case "r": value = .string(try self.repr(value))
        case "a": value = .string(PythonText.ascii(try self.repr(value)))
        case .some(let other): throw self.error(.value, "Unknown conversion specifier '\(other)'")
        }
        var specification = Text.string(field.specification)
        if specification.utf8.contains(UInt8(ascii: "{")) || specification.utf8.contains(UInt8(ascii: "}")) {
            specification = try self.format(
                field.specification, arguments, mapping, false, depth: depth - 1, &automatic, &usesNumbers)
        }
        guard escapes else { return try self.format(value, specification) }
        if case .markup(let text) = value {
            guard specification.isEmpty else {
                throw self.error(.value, "Unsupported format specification for Markup.")
            }
            return text
        }
        return Text.escape(try self.format(value, specification))
    }

    private func fieldValue(
        _ name: [Unicode.Scalar], _ arguments: Arguments, _ mapping: Value?, _ escapes: Bool,
        _ automatic: inout Int?, _ usesNumbers: inout Bool
    ) throws(JinjaError) -> Value {
        let firstEnd = name.firstIndex { $0 == "." || $0 == "[" } ?? name.count
        let first = name[..<firstEnd]
        // The sandbox's formatter is written in Python, and numbers no field that has more than a number.
        let isPython = self.isSandboxed || escapes
        var value: Value
        if first.isEmpty, !isPython || name.isEmpty {
            guard !usesNumbers, let number = automatic else {
                throw self.error(.value, "cannot switch from manual field specification to automatic field numbering")
            }
            automatic = number + 1
            value = try self.positional(number, arguments, mapping, isPython)
        } else if !first.isEmpty, first.allSatisfy({ $0.hexDigit.map { $0 < 10 } ?? false }) {
            if !isPython || firstEnd == name.count {
                guard automatic == 0 || usesNumbers else {
                    throw self.error(
                        .value, "cannot switch from automatic field numbering to manual field specification")
                }
                usesNumbers = true
            }
            guard let number = Int(Text.string(first)) else {
                throw self.error(.value, "Too many decimal digits in format string")
            }
            value = try self.positional(number, arguments, mapping, isPython)
        } else {
            let key = Text.string(first)
            if let mapping {
                value = try self.subscripted(mapping, .string(key))
            } else {
                guard let named = arguments.named.first(where: { isSame($0.name, key) })?.value else {
                    throw self.error(.lookup, "KeyError: \(PythonText.repr(key))")
                }
                value = named
            }
        }
        var position = firstEnd
        while position < name.count {
            if name[position] == "." {
                let end = name[(position + 1)...].firstIndex { $0 == "." || $0 == "[" } ?? name.count
                guard end > position + 1 else { throw self.error(.value, "Empty attribute in format string") }
                value = try self.fieldAttribute(Text.string(name[(position + 1)..<end]), of: value, escapes)
                position = end
            } else if name[position] == "[" {
                guard let end = name[position...].firstIndex(of: "]") else {
                    throw self.error(.value, "Missing ']' in format string")
                }
                guard end > position + 1 else { throw self.error(.value, "Empty attribute in format string") }
                let text = Text.string(name[(position + 1)..<end])
                let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
                let key: Value = isNumber ? Int(text).map { .int($0) } ?? .string(text) : .string(text)
                value = self.isSandboxed ? try self.item(key, of: value) : try self.subscripted(value, key)
                position = end + 1
            } else {
                throw self.error(.value, "Only '.' or '[' may follow ']' in format field specifier")
            }
        }
        return value
    }

    private func positional(
        _ number: Int, _ arguments: Arguments, _ mapping: Value?, _ isPython: Bool
    ) throws(JinjaError) -> Value {
        if mapping != nil, !isPython { throw self.error(.value, "Format string contains positional fields") }
        guard number < arguments.positional.count else {
            throw self.error(.lookup, "Replacement index \(number) out of range for positional args tuple")
        }
        return arguments.positional[number]
    }

    private func fieldAttribute(_ name: String, of value: Value, _ escapes: Bool) throws(JinjaError) -> Value {
        if self.isSandboxed { return try self.attribute(name, of: value) }
        if case .dict = value, !DictMethods.names.contains(name) {
            throw self.error(.attribute, "'dict' object has no attribute '\(name)'")
        }
        let found = try self.attribute(name, of: value)
        if case .undefined(let undefined) = found { throw self.error(.attribute, undefined.message) }
        return found
    }
}
