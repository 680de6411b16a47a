internal import JinjaSyntax
internal import PythonCompat

/// Filters of numbers.
extension Filter {
    static let numbers: [Filter] = [
        Filter("abs") { (value, _, run) throws(JinjaError) in
            switch value {
            case .float(let number): return .float(number.magnitude)
            default:
                guard let number = Number.integer(value) else {
                    throw run.error(.type, "bad operand type for abs(): '\(value.typeName)'")
                }
                return Value(number.isNegative ? number.negated : number)
            }
        },
        Filter("int", ["default", "base"]) { (value, values, run) throws(JinjaError) in
            try run.integer(value, values[0] ?? .int(0), base: values[1] ?? .int(10))
        },
        Filter("float", ["default"]) { (value, values, run) throws(JinjaError) in
            try run.float(value).map { .float($0) } ?? values[0] ?? .float(0)
        },
        Filter("round", ["precision", "method"]) { (value, values, run) throws(JinjaError) in
            try Rounding.round(value, values[0] ?? .int(0), values[1] ?? .string("common"), run)
        },
        Filter("filesizeformat", ["binary"]) { (value, values, run) throws(JinjaError) in
            let isBinary = try values[0].map { (flag) throws(JinjaError) in try run.isTrue(flag) } ?? false
            return .string(try Self.fileSize(value, isBinary, run))
        },
    ]

    private static func fileSize(_ value: Value, _ isBinary: Bool, _ run: Run) throws(JinjaError) -> String {
        let bytes: Double
        switch value {
        case .string(let text), .markup(let text):
            guard let number = PythonNumber.float(text) else {
                throw run.error(.value, "could not convert string to float: \(PythonText.repr(text))")
            }
            bytes = number
        default: bytes = try run.double(value)
        }
        let base: Double = isBinary ? 1024 : 1000
        if bytes == 1 { return "1 Byte" }
        if bytes < base {
            let whole = try run.truncated(bytes)
            return "\(whole) Bytes"
        }
        var unit = base
        for letter in ["k", "M", "G", "T", "P", "E", "Z", "Y"] {
            unit *= base
            guard bytes < unit || letter == "Y" else { continue }
            let size = base * bytes / unit
            let number = FloatText.special(size, isUpper: false) ?? FloatText.fixed(size, 1)
            return number + " " + (isBinary ? letter.uppercased() + "iB" : letter + "B")
        }
        return ""
    }
}

extension Run {
    /// Python's `int(value)`, as the filter of that name has it.
    func integer(_ value: Value, _ missing: Value, base: Value) throws(JinjaError) -> Value {
        switch value {
        case .string(let text), .markup(let text):
            if let base = Number.asInteger(base), case .int(let base) = base, base == 0 || (2...36).contains(base),
                let number = PythonNumber.integer(text, base: base)
            {
                return Value(number)
            }
            guard let number = PythonNumber.float(text), number.isFinite else { return missing }
            return Value(try self.truncated(number))
        case .float(let number):
            if number.isNaN { return missing }
            return Value(try self.truncated(number))
        case .undefined(let undefined): throw self.error(undefined)
        default: return Number.asInteger(value) ?? missing
        }
    }

    /// Python's `int(value)`.
    func integer(_ value: Value) throws(JinjaError) -> Value {
        if let text = value.text {
            guard let number = PythonNumber.integer(text, base: 10) else {
                throw self.error(.value, "invalid literal for int() with base 10: \(PythonText.repr(text))")
            }
            return Value(number)
        }
        if case .undefined(let undefined) = value { throw self.error(undefined) }
        if case .float(let number) = value { return Value(try self.truncated(number)) }
        return Number.asInteger(value) ?? value
    }

    /// Python's `float(value)`; `nil` where that is a type or value error.
    func float(_ value: Value) throws(JinjaError) -> Double? {
        switch value {
        case .string(let text), .markup(let text): return PythonNumber.float(text)
        case .bool, .int, .big, .float: return try self.double(value)
        case .undefined(let undefined): throw self.error(undefined)
        default: return nil
        }
    }
}

/// The filter `round`.
private enum Rounding {
    static func round(_ value: Value, _ precision: Value, _ method: Value, _ run: Run) throws(JinjaError) -> Value {
        guard let name = method.text, ["common", "ceil", "floor"].contains(name) else {
            _ = try run.key(method)
            throw run.error(.runtime, "method must be common, ceil or floor")
        }
        if isSame(name, "common") { return try Self.common(value, precision, run) }
        let factor = try run.arithmetic(.power, .int(10), precision)
        let scaled = try run.arithmetic(.multiply, value, factor)
        let whole: Value
        switch scaled {
        case .float(let number):
            guard !number.isNaN else { throw run.error(.value, "cannot convert float NaN to integer") }
            guard let big = BigInteger(exactly: number.rounded(isSame(name, "ceil") ? .up : .down)) else {
                throw run.error(.overflow, "cannot convert float infinity to integer")
            }
            whole = Value(big)
        default:
            guard let integer = Number.asInteger(scaled) else {
                throw run.error(.type, "must be real number, not \(scaled.typeName)")
            }
            whole = integer
        }
        return try run.arithmetic(.divide, whole, factor)
    }

    private static func common(_ value: Value, _ precision: Value, _ run: Run) throws(JinjaError) -> Value {
        guard Number.isNumber(value) else {
            throw run.error(.type, "type \(value.typeName) doesn't define __round__ method")
        }
        if precision.isNone {
            guard case .float(let number) = value else { return Number.asInteger(value) ?? value }
            return Value(try run.truncated(number.isFinite ? number.rounded(.toNearestOrEven) : number))
        }
        guard Number.asInteger(precision) != nil else {
            throw run.error(.type, "'\(precision.typeName)' object cannot be interpreted as an integer")
        }
        let digits = try run.index(precision)
        guard case .float(let number) = value else {
            guard digits < 0, let whole = Number.integer(value) else { return Number.asInteger(value) ?? value }
            return Value(PythonNumber.round(whole, digits: digits))
        }
        guard number.isFinite, number != 0, digits < 340 else { return value }
        guard digits > -310 else { return .float(number.sign == .minus ? -0.0 : 0) }
        guard let result = PythonNumber.round(number, digits: digits) else {
            throw run.error(.overflow, "rounded value too large to represent")
        }
        return .float(result)
    }
}
