internal import JinjaSyntax
internal import PythonCompat

extension Value {
    /// An integer in its smallest form.
    init(_ number: BigInteger) { if let int = number.int { self = .int(int) } else { self = .big(number) } }
}

/// What Python's numbers have in common, of which `bool` is one.
enum Number {
    /// The order of two numbers; `nil` if one is none.
    static func compare(_ a: Value, _ b: Value) -> PythonOrder? {
        switch (a, b) {
        case (.int(let a), .int(let b)): return a < b ? .less : a > b ? .greater : .equal
        case (.float(let a), .float(let b)): return Self.order(a, b)
        default: break
        }
        if case .float(let a) = a, let b = Self.integer(b) { return PythonNumber.order(a, b) }
        if case .float(let b) = b, let a = Self.integer(a) {
            let order = PythonNumber.order(b, a)
            return order == .less ? .greater : order == .greater ? .less : order
        }
        guard let a = Self.integer(a), let b = Self.integer(b) else { return nil }
        return a.order(b)
    }

    private static func order(_ a: Double, _ b: Double) -> PythonOrder {
        a < b ? .less : a > b ? .greater : a == b ? .equal : .unordered
    }

    /// `nil` for what is no integer.
    static func integer(_ value: Value) -> BigInteger? {
        switch value {
        case .bool(let flag): BigInteger(flag ? 1 : 0)
        case .int(let number): BigInteger(number)
        case .big(let number): number
        default: nil
        }
    }

    /// An integer or a boolean as an integer.
    static func asInteger(_ value: Value) -> Value? {
        switch value {
        case .bool(let flag): .int(flag ? 1 : 0)
        case .int, .big: value
        default: nil
        }
    }

    static func isNegative(_ value: Value) -> Bool {
        switch value {
        case .int(let number): number < 0
        case .big(let number): number.isNegative
        case .float(let number): number.sign == .minus
        default: false
        }
    }

    static func isNumber(_ value: Value) -> Bool {
        switch value {
        case .bool, .int, .big, .float: true
        default: false
        }
    }
}

extension Run {
    /// As a double, for Python's arithmetic of integers and floats.
    func double(_ value: Value) throws(JinjaError) -> Double {
        switch value {
        case .bool(let flag): return flag ? 1 : 0
        case .int(let number): return Double(number)
        case .big(let number):
            guard let double = number.double else {
                throw self.error(.overflow, "int too large to convert to float")
            }
            return double
        case .float(let number): return number
        case .undefined(let undefined): throw self.error(undefined)
        default: throw self.error(.type, "must be real number, not \(value.typeName)")
        }
    }

    /// As an index or a count, clamped to what fits: an integer or boolean.
    func index(_ value: Value, _ what: String = "an integer is required") throws(JinjaError) -> Int {
        switch value {
        case .bool(let flag): return flag ? 1 : 0
        case .int(let number): return number
        case .big(let number): return number.isNegative ? Int.min : Int.max
        case .undefined(let undefined):
            // Python asks for __index__, which an undefined value does not have.
            throw self.error(.type, "\(what), not an undefined value (\(undefined.message))")
        default:
            throw self.error(.type, "\(what), not '\(value.typeName)'")
        }
    }

    /// The decimal digits, which Python refuses beyond 4,300.
    func decimal(_ number: BigInteger) throws(JinjaError) -> String {
        try self.charge(toPrint: number)
        return try self.raising { () throws(PythonError) in try PythonNumber.decimal(number) }
    }

    /// For the digits of an integer that Python prints.
    func charge(toPrint number: BigInteger) throws(JinjaError) {
        guard number.wordCount <= PythonNumber.mostDecimalWords else { return }
        try self.charge(number.wordCount * number.wordCount / 64)
    }

    /// Python's `int(number)`.
    func truncated(_ number: Double) throws(JinjaError) -> BigInteger {
        try self.raising { () throws(PythonError) in try PythonNumber.truncated(number) }
    }

    func arithmetic(_ operation: Arithmetic, _ a: Value, _ b: Value) throws(JinjaError) -> Value {
        if case .int(let a) = a, case .int(let b) = b, let result = try self.fast(operation, a, b) { return result }
        if let a = Number.integer(a), let b = Number.integer(b) { return try self.integers(operation, a, b) }
        if Number.isNumber(a), Number.isNumber(b) {
            return try self.floats(operation, try self.double(a), try self.double(b))
        }
        return try self.sequences(operation, a, b)
    }

    private func fast(_ operation: Arithmetic, _ a: Int, _ b: Int) throws(JinjaError) -> Value? {
        switch operation {
        case .add:
            let (sum, overflow) = a.addingReportingOverflow(b)
            return overflow ? nil : .int(sum)
        case .subtract:
            let (difference, overflow) = a.subtractingReportingOverflow(b)
            return overflow ? nil : .int(difference)
        case .multiply:
            let (product, overflow) = a.multipliedReportingOverflow(by: b)
            return overflow ? nil : .int(product)
        case .floorDivide:
            guard b != 0, b != -1 else { return nil }
            let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
            return .int(remainder != 0 && (remainder < 0) != (b < 0) ? quotient - 1 : quotient)
        case .modulo:
            guard b != 0, b != -1 else { return nil }
            let remainder = a % b
            return .int(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder)
        case .divide:
            // Both are exact as doubles.
            guard b != 0, a.magnitude < 1 << 53, b.magnitude < 1 << 53 else { return nil }
            return .float(Double(a) / Double(b))
        case .power: return nil
        }
    }

    private func integers(_ operation: Arithmetic, _ a: BigInteger, _ b: BigInteger) throws(JinjaError) -> Value {
        switch operation {
        case .add: return Value(a + b)
        case .subtract: return Value(a - b)
        case .multiply:
            try self.check(bytes: 4 * (a.wordCount + b.wordCount))
            try self.charge(a.wordCount * b.wordCount / 16)
            return Value(a * b)
        case .floorDivide, .modulo:
            guard !b.isZero else { throw self.error(.division, "integer division or modulo by zero") }
            try self.charge(a.wordCount * b.wordCount / 16)
            let (quotient, remainder) = BigInteger.floorDivide(a, b)
            return Value(operation == .modulo ? remainder : quotient)
        case .divide:
            guard !b.isZero else { throw self.error(.division, "division by zero") }
            try self.charge(a.wordCount * b.wordCount / 16)
            guard let quotient = BigInteger.trueDivide(a, b) else {
                throw self.error(.overflow, "integer division result too large for a float")
            }
            return .float(quotient)
        case .power:
            if b.isNegative { return try self.floats(.power, try self.double(Value(a)), try self.double(Value(b))) }
            if a.int == 1 || b.isZero { return .int(1) }
            if a.isZero { return .int(0) }
            if a.int == -1 { return .int(b.isOdd ? -1 : 1) }
            guard let exponent = b.int, exponent < 1 << 32 else {
                throw self.error(.limit, "a power is larger than the \(self.limits.bytes) bytes that a value may have")
            }
            try self.check(bytes: a.bitWidth * exponent / 8)
            return Value(try self.power(a, exponent))
        }
    }

    private func power(_ base: BigInteger, _ exponent: Int) throws(JinjaError) -> BigInteger {
        var (result, square, rest) = (BigInteger(1), base, exponent)
        while rest > 0 {
            try self.charge(square.wordCount * square.wordCount / 16)
            if rest & 1 == 1 { result = result * square }
            rest >>= 1
            if rest > 0 { square = square * square }
        }
        return result
    }

    private func floats(_ operation: Arithmetic, _ a: Double, _ b: Double) throws(JinjaError) -> Value {
        switch operation {
        case .add: return .float(a + b)
        case .subtract: return .float(a - b)
        case .multiply: return .float(a * b)
        case .divide:
            guard b != 0 else { throw self.error(.division, "float division by zero") }
            return .float(a / b)
        case .modulo:
            guard b != 0 else { throw self.error(.division, "float modulo") }
            return .float(PythonNumber.modulo(a, b))
        case .floorDivide:
            guard b != 0 else { throw self.error(.division, "float floor division by zero") }
            return .float(PythonNumber.floorDivide(a, b))
        case .power:
            if b == 0 || a == 1 { return .float(1) }
            if a == 0, b < 0 { throw self.error(.division, "0.0 cannot be raised to a negative power") }
            if a < 0, a.isFinite, b.isFinite, b != b.rounded() {
                throw self.error(
                    .unsupported, "a negative number to a broken power is a complex number, which templates do not have"
                )
            }
            let result = PythonNumber.power(a, b)
            guard result.isFinite || !a.isFinite || !b.isFinite else {
                throw self.error(.overflow, "a power is too large for a float")
            }
            return .float(result)
        }
    }

    func negated(_ value: Value) throws(JinjaError) -> Value {
        switch value {
        case .float(let number): return .float(-number)
        case .undefined(let undefined): throw self.error(undefined)
        default:
            guard let number = Number.integer(value) else {
                throw self.error(.type, "bad operand type for unary -: '\(value.typeName)'")
            }
            return Value(number.negated)
        }
    }

    func plus(_ value: Value) throws(JinjaError) -> Value {
        switch value {
        case .float: return value
        case .undefined(let undefined): throw self.error(undefined)
        default:
            guard let number = Number.asInteger(value) else {
                throw self.error(.type, "bad operand type for unary +: '\(value.typeName)'")
            }
            return number
        }
    }
}
