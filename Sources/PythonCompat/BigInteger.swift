/// How a value is ordered beside another one.
public enum PythonOrder: Sendable {
    case less
    case equal
    case greater
    /// One of them is no number.
    case unordered
}

/// An integer of any size, as Python's `int`.
public struct BigInteger: Sendable, Hashable {
    public let isNegative: Bool
    /// In 32 bits each, the lowest first; the last is not 0.
    private let limbs: [UInt32]

    private init(isNegative: Bool, limbs: [UInt32]) {
        var limbs = limbs
        while limbs.last == 0 { limbs.removeLast() }
        self.limbs = limbs
        self.isNegative = isNegative && !limbs.isEmpty
    }

    public init(_ number: Int) {
        let magnitude = number.magnitude
        self.init(
            isNegative: number < 0,
            limbs: [UInt32(truncatingIfNeeded: magnitude), UInt32(truncatingIfNeeded: magnitude >> 32)])
    }

    /// `nil` for what has a fraction, is infinite or no number.
    public init?(exactly number: Double) {
        guard number.isFinite, number == number.rounded(.towardZero) else { return nil }
        guard number != 0 else {
            self.init(0)
            return
        }
        let exponent = Int(number.exponent)
        let significand = number.significandBitPattern | (1 << 52)
        let whole = BigInteger(Int(significand))
        let shifted = exponent >= 52 ? whole.shifted(left: exponent - 52) : whole.shifted(right: 52 - exponent)
        self.init(isNegative: number < 0, limbs: shifted.limbs)
    }

    /// From digits without sign, of a base from 2 to 36; `nil` for what is none.
    public init?(digits: some Sequence<UInt8>, base: Int) {
        var limbs: [UInt32] = []
        for byte in digits {
            let digit: Int
            switch byte {
            case 0x30...0x39: digit = Int(byte) - 0x30
            case 0x41...0x5A: digit = Int(byte) - 0x41 + 10
            case 0x61...0x7A: digit = Int(byte) - 0x61 + 10
            default: return nil
            }
            guard digit < base else { return nil }
            Self.multiply(&limbs, by: UInt32(base), adding: UInt32(digit))
        }
        self.init(isNegative: false, limbs: limbs)
    }

    /// As an `Int`, where it fits.
    public var int: Int? {
        guard self.limbs.count <= 2 else { return nil }
        let magnitude = self.limbs.enumerated().reduce(UInt(0)) { $0 | UInt($1.element) << (32 * UInt($1.offset)) }
        if self.isNegative { return magnitude <= UInt(Int.max) + 1 ? Int(truncatingIfNeeded: 0 &- magnitude) : nil }
        return Int(exactly: magnitude)
    }

    /// How many of 32 bits it has: what work with it grows by.
    public var wordCount: Int { self.limbs.count }

    public var isZero: Bool { self.limbs.isEmpty }
    public var negated: BigInteger { BigInteger(isNegative: !self.isNegative, limbs: self.limbs) }
    public var isOdd: Bool { self.limbs.first.map { $0 & 1 == 1 } ?? false }

    public var bitWidth: Int {
        guard let top = self.limbs.last else { return 0 }
        return self.limbs.count * 32 - top.leadingZeroBitCount
    }

    public var bitCount: Int { self.limbs.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Digits without sign, in lower case.
    public func digits(base: Int) -> [UInt8] {
        guard !self.isZero else { return [0x30] }
        var rest = self.limbs
        var digits: [UInt8] = []
        // As many digits at a time as fit.
        var (chunk, width) = (UInt32(base), 1)
        while chunk <= UInt32.max / UInt32(base) {
            chunk *= UInt32(base)
            width += 1
        }
        while !rest.isEmpty {
            var part = Self.divide(&rest, by: chunk)
            for _ in 0..<width where !rest.isEmpty || part > 0 {
                let digit = UInt8(part % UInt32(base))
                digits.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
                part /= UInt32(base)
            }
        }
        return digits.reversed()
    }

    /// The nearest double, ties to even; `nil` if it is too large.
    public var double: Double? {
        let width = self.bitWidth
        guard width > 64 else {
            let magnitude = self.limbs.enumerated().reduce(UInt(0)) {
                $0 | UInt($1.element) << (32 * UInt($1.offset))
            }
            return self.isNegative ? -Double(magnitude) : Double(magnitude)
        }
        guard width <= 1024 else { return nil }
        // 64 bits and whether anything follows them decide.
        let top = self.shifted(right: width - 64)
        var bits = UInt64(top.limbs[0]) | UInt64(top.limbs[1]) << 32
        if !BigInteger(isNegative: false, limbs: self.limbs).low(width - 64).isZero { bits |= 1 }
        let value = Double(sign: .plus, exponent: width - 64, significand: Double(bits))
        guard value.isFinite else { return nil }
        return self.isNegative ? -value : value
    }

    private func low(_ bits: Int) -> BigInteger {
        var limbs = Array(self.limbs.prefix((bits + 31) / 32))
        if bits % 32 != 0, limbs.count == (bits + 31) / 32 {
            limbs[limbs.count - 1] &= (1 << UInt32(bits % 32)) - 1
        }
        return BigInteger(isNegative: false, limbs: limbs)
    }

    public func shifted(left bits: Int) -> BigInteger {
        let (whole, part) = (bits / 32, UInt32(bits % 32))
        var limbs = [UInt32](repeating: 0, count: whole)
        var carry: UInt32 = 0
        for limb in self.limbs {
            limbs.append(limb << part | carry)
            carry = part == 0 ? 0 : limb >> (32 - part)
        }
        limbs.append(carry)
        return BigInteger(isNegative: self.isNegative, limbs: limbs)
    }

    /// Of the magnitude.
    public func shifted(right bits: Int) -> BigInteger {
        let (whole, part) = (bits / 32, UInt32(bits % 32))
        guard whole < self.limbs.count else { return BigInteger(0) }
        var limbs = Array(self.limbs[whole...])
        if part > 0 {
            for index in limbs.indices {
                let above = index + 1 < limbs.count ? limbs[index + 1] << (32 - part) : 0
                limbs[index] = limbs[index] >> part | above
            }
        }
        return BigInteger(isNegative: self.isNegative, limbs: limbs)
    }

    public static func + (a: BigInteger, b: BigInteger) -> BigInteger {
        if a.isNegative == b.isNegative {
            return BigInteger(isNegative: a.isNegative, limbs: Self.sum(a.limbs, b.limbs))
        }
        switch Self.order(a.limbs, b.limbs) {
        case .greater: return BigInteger(isNegative: a.isNegative, limbs: Self.difference(a.limbs, b.limbs))
        case .less: return BigInteger(isNegative: b.isNegative, limbs: Self.difference(b.limbs, a.limbs))
        default: return BigInteger(0)
        }
    }

    public static func - (a: BigInteger, b: BigInteger) -> BigInteger { a + b.negated }

    public static func * (a: BigInteger, b: BigInteger) -> BigInteger {
        guard !a.isZero, !b.isZero else { return BigInteger(0) }
        var product = [UInt32](repeating: 0, count: a.limbs.count + b.limbs.count)
        for (i, x) in a.limbs.enumerated() {
            var carry: UInt64 = 0
            for (j, y) in b.limbs.enumerated() {
                let sum = UInt64(x) * UInt64(y) + UInt64(product[i + j]) + carry
                product[i + j] = UInt32(truncatingIfNeeded: sum)
                carry = sum >> 32
            }
            product[i + b.limbs.count] = UInt32(carry)
        }
        return BigInteger(isNegative: a.isNegative != b.isNegative, limbs: product)
    }

    /// Python's `//` and `%`; `b` is not 0.
    public static func floorDivide(_ a: BigInteger, _ b: BigInteger) -> (quotient: BigInteger, remainder: BigInteger) {
        let (quotient, remainder) = Self.divide(a.limbs, b.limbs)
        let whole = BigInteger(isNegative: a.isNegative != b.isNegative, limbs: quotient)
        let rest = BigInteger(isNegative: a.isNegative, limbs: remainder)
        if !rest.isZero, a.isNegative != b.isNegative { return (whole - BigInteger(1), rest + b) }
        return (whole, rest)
    }

    /// Python's `/`, the double nearest to the quotient; `nil` if it is too large, and `b` is not 0.
    public static func trueDivide(_ a: BigInteger, _ b: BigInteger) -> Double? {
        guard !a.isZero else { return b.isNegative ? -0.0 : 0 }
        let isNegative = a.isNegative != b.isNegative
        // The quotient gets 64 bits or more; the last one says whether anything follows.
        var shift = max(0, 66 - (a.bitWidth - b.bitWidth))
        // Below the smallest normal number fewer bits count.
        let exponent = a.bitWidth - b.bitWidth
        if exponent < -1074 - 2 { return isNegative ? -0.0 : 0 }
        shift = min(shift, 1074 + 2)
        if exponent > 1025 { return nil }
        let dividend = BigInteger(isNegative: false, limbs: a.limbs).shifted(left: shift)
        var (quotient, remainder) = Self.divide(dividend.limbs, b.limbs)
        while remainder.last == 0 { remainder.removeLast() }
        var whole = BigInteger(isNegative: false, limbs: quotient)
        if !remainder.isEmpty { whole = whole.isOdd ? whole : whole + BigInteger(1) }
        quotient = whole.limbs
        // Rounding once: to the bits that a double of this size has.
        let width = whole.bitWidth
        let lowest = max(width - shift - 53, -1074)
        let drop = lowest + shift
        var mantissa = whole
        if drop > 0 {
            let half = BigInteger(1).shifted(left: drop - 1)
            let rest = whole.low(drop)
            mantissa = whole.shifted(right: drop)
            let order = Self.order(rest.limbs, half.limbs)
            if order == .greater || order == .equal && mantissa.isOdd { mantissa = mantissa + BigInteger(1) }
        }
        guard let significand = mantissa.double else { return nil }
        let value = Double(sign: .plus, exponent: drop > 0 ? lowest : -shift, significand: significand)
        guard value.isFinite else { return nil }
        return isNegative ? -value : value
    }

    public func order(_ other: BigInteger) -> PythonOrder {
        if self.isNegative != other.isNegative { return self.isNegative ? .less : .greater }
        let order = Self.order(self.limbs, other.limbs)
        guard self.isNegative else { return order }
        return order == .less ? .greater : order == .greater ? .less : .equal
    }

    // MARK: Magnitudes

    private static func order(_ a: [UInt32], _ b: [UInt32]) -> PythonOrder {
        if a.count != b.count { return a.count < b.count ? .less : .greater }
        for index in a.indices.reversed() where a[index] != b[index] { return a[index] < b[index] ? .less : .greater }
        return .equal
    }

    private static func sum(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
        let (long, short) = a.count >= b.count ? (a, b) : (b, a)
        var sum = long
        var carry: UInt64 = 0
        for index in long.indices {
            let part = UInt64(long[index]) + (index < short.count ? UInt64(short[index]) : 0) + carry
            sum[index] = UInt32(truncatingIfNeeded: part)
            carry = part >> 32
        }
        sum.append(UInt32(carry))
        return sum
    }

    /// `a` is not less than `b`.
    private static func difference(_ a: [UInt32], _ b: [UInt32]) -> [UInt32] {
        var difference = a
        var borrow: Int64 = 0
        for index in a.indices {
            var part = Int64(a[index]) - (index < b.count ? Int64(b[index]) : 0) - borrow
            borrow = part < 0 ? 1 : 0
            if part < 0 { part += 1 << 32 }
            difference[index] = UInt32(part)
        }
        return difference
    }

    private static func multiply(_ limbs: inout [UInt32], by factor: UInt32, adding addend: UInt32) {
        var carry = UInt64(addend)
        for index in limbs.indices {
            let product = UInt64(limbs[index]) * UInt64(factor) + carry
            limbs[index] = UInt32(truncatingIfNeeded: product)
            carry = product >> 32
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
    }

    /// Leaves the quotient in `limbs`, and gives the remainder.
    private static func divide(_ limbs: inout [UInt32], by divisor: UInt32) -> UInt32 {
        var remainder: UInt64 = 0
        for index in limbs.indices.reversed() {
            let part = remainder << 32 | UInt64(limbs[index])
            limbs[index] = UInt32(part / UInt64(divisor))
            remainder = part % UInt64(divisor)
        }
        while limbs.last == 0 { limbs.removeLast() }
        return UInt32(remainder)
    }

    /// Long division (Knuth 1997, algorithm D).
    private static func divide(_ a: [UInt32], _ b: [UInt32]) -> (quotient: [UInt32], remainder: [UInt32]) {
        if Self.order(a, b) == .less { return ([], a) }
        if b.count == 1 {
            var quotient = a
            let remainder = Self.divide(&quotient, by: b[0])
            return (quotient, remainder == 0 ? [] : [remainder])
        }
        let shift = b[b.count - 1].leadingZeroBitCount
        let divisor = BigInteger(isNegative: false, limbs: b).shifted(left: shift).limbs
        var rest = BigInteger(isNegative: false, limbs: a).shifted(left: shift).limbs
        while rest.count <= a.count { rest.append(0) }
        let count = divisor.count
        var quotient = [UInt32](repeating: 0, count: rest.count - count)
        for place in quotient.indices.reversed() {
            let top = UInt64(rest[place + count]) << 32 | UInt64(rest[place + count - 1])
            var guess = top / UInt64(divisor[count - 1])
            var left = top % UInt64(divisor[count - 1])
            while guess > UInt32.max
                || guess * UInt64(divisor[count - 2]) > left << 32 | UInt64(rest[place + count - 2])
            {
                guess -= 1
                left += UInt64(divisor[count - 1])
                if left > UInt32.max { break }
            }
            var borrow: Int64 = 0
            var carry: UInt64 = 0
            for index in 0..<count {
                let product = guess * UInt64(divisor[index]) + carry
                carry = product >> 32
                let part = Int64(rest[place + index]) - borrow - Int64(product & 0xFFFF_FFFF)
                rest[place + index] = UInt32(truncatingIfNeeded: part)
                borrow = part < 0 ? 1 : 0
            }
            let part = Int64(rest[place + count]) - borrow - Int64(carry)
            rest[place + count] = UInt32(truncatingIfNeeded: part)
            if part < 0 {
                guess -= 1
                var carry: UInt64 = 0
                for index in 0..<count {
                    let sum = UInt64(rest[place + index]) + UInt64(divisor[index]) + carry
                    rest[place + index] = UInt32(truncatingIfNeeded: sum)
                    carry = sum >> 32
                }
                rest[place + count] = rest[place + count] &+ UInt32(carry)
            }
            quotient[place] = UInt32(truncatingIfNeeded: guess)
        }
        let remainder = BigInteger(isNegative: false, limbs: rest).shifted(right: shift)
        return (quotient, remainder.limbs)
    }
}

extension BigInteger: CustomStringConvertible {
    /// The decimal digits.
    public var description: String {
        (self.isNegative ? "-" : "") + String(decoding: self.digits(base: 10), as: UTF8.self)
    }
}
