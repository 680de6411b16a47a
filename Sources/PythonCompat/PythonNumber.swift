/// Numbers in texts as Python's `int()` and `float()` read them, and Python's `round()`.
public enum PythonNumber {
    /// `int(text, base)`; `nil` if that is no integer or not in 64 bits.
    ///
    /// - Parameter base: 2 to 36, or 0 for what a prefix as "0x" says.
    public static func int(_ text: String, base: Int = 10) -> Int? {
        guard let number = Self.digits(text, base) else { return nil }
        return Int((number.isNegative ? "-" : "") + number.digits, radix: number.base)
    }

    /// `int(text, base)` of any size; `nil` if that is no integer, or one of more digits than Python reads.
    ///
    /// - Parameter base: 2 to 36, or 0 for what a prefix as "0x" says.
    public static func integer(_ text: String, base: Int = 10) -> BigInteger? {
        guard let number = Self.digits(text, base), number.digits.utf8.count <= Self.mostDigits(base: number.base),
            let integer = BigInteger(digits: number.digits.utf8, base: number.base)
        else { return nil }
        return number.isNegative ? integer.negated : integer
    }

    /// Python's own limit, but for bases whose digits are bits; there more would take long here.
    public static func mostDigits(base: Int) -> Int { base.nonzeroBitCount == 1 ? 20_000 : 4300 }

    private static func digits(_ text: String, _ base: Int) -> (isNegative: Bool, digits: String, base: Int)? {
        guard let bytes = Self.ascii(text), base == 0 || (2...36).contains(base) else { return nil }
        var position = 0
        Self.skipSign(bytes, &position)
        let isNegative = bytes.first == UInt8(ascii: "-")
        var (base, hasPrefix) = (base, false)
        if position + 1 < bytes.count, bytes[position] == UInt8(ascii: "0") {
            let prefixed = [UInt8(ascii: "x"): 16, UInt8(ascii: "o"): 8, UInt8(ascii: "b"): 2][
                bytes[position + 1] | 0x20]
            if let prefixed, base == 0 || base == prefixed {
                (base, hasPrefix) = (prefixed, true)
                position += 2
                _ = Self.skip("_", bytes, &position)
            }
        }
        let start = position
        let digitBase = base == 0 ? 10 : base
        guard Self.skipDigits(bytes, &position, base: digitBase), position == bytes.count else { return nil }
        let digits = Self.withoutUnderscores(bytes[start...])
        // Without a prefix a number that is not 0 has no zeros in front.
        if base == 0, !hasPrefix, digits.utf8.first == UInt8(ascii: "0"), digits.utf8.contains(where: { $0 != 0x30 }) {
            return nil
        }
        return (isNegative, digits, digitBase)
    }

    /// `float(text)`; `nil` if that is no number.
    public static func float(_ text: String) -> Double? {
        guard let bytes = Self.ascii(text) else { return nil }
        var position = 0
        Self.skipSign(bytes, &position)
        switch String(decoding: bytes[position...], as: UTF8.self).lowercased() {
        case "inf", "infinity": return bytes.first == UInt8(ascii: "-") ? -.infinity : .infinity
        case "nan": return .nan
        default: break
        }
        var hasDigits = Self.skipDigits(bytes, &position)
        if Self.skip(".", bytes, &position), Self.skipDigits(bytes, &position) { hasDigits = true }
        guard hasDigits else { return nil }
        if Self.skip("e", bytes, &position) || Self.skip("E", bytes, &position) {
            Self.skipSign(bytes, &position)
            guard Self.skipDigits(bytes, &position) else { return nil }
        }
        return position == bytes.count ? Double(Self.withoutUnderscores(bytes[...])) : nil
    }

    /// `str(number)`.
    public static func str(_ number: Double) -> String { PythonText.repr(number) }

    /// `round(number, digits)`: half to even of the exact value; `nil` if the result is too large.
    public static func round(_ number: Double, digits: Int) -> Double? {
        guard number.isFinite, number != 0, digits <= 323 else { return number }
        guard digits >= -308 else { return 0 * number }
        let text = ExactDecimal(number).fixed(digits)
        guard let rounded = Double((number.sign == .minus ? "-" : "") + text), rounded.isFinite else { return nil }
        return rounded
    }

    /// `round(number)`: half to even; `nil` if the result is not in 64 bits.
    public static func round(_ number: Double) -> Int? { Int(exactly: number.rounded(.toNearestOrEven)) }

    /// `round(number, digits)` of an integer: half to even; `nil` if the result is not in 64 bits.
    public static func round(_ number: Int, digits: Int) -> Int? {
        guard digits < 0 else { return number }
        guard digits > -19 else {
            // Ten to the power of 19 is not in 64 bits, but its half is.
            return digits == -19 && number.magnitude > 5_000_000_000_000_000_000 ? nil : 0
        }
        let unit = (0..<(-digits)).reduce(1) { unit, _ in unit * 10 }
        let (quotient, rest) = number.quotientAndRemainder(dividingBy: unit)
        let (half, size) = (unit / 2, rest.magnitude)
        var rounded = quotient
        if size > half || (size == half && quotient % 2 != 0) { rounded += number < 0 ? -1 : 1 }
        let (product, overflows) = rounded.multipliedReportingOverflow(by: unit)
        return overflows ? nil : product
    }

    /// The text with ASCII digits and without space around; `nil` if other characters are in it.
    private static func ascii(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            } else if PythonText.isSpace(scalar) {
                bytes.append(UInt8(ascii: " "))
            } else if PythonText.isDecimal(scalar) {
                bytes.append(UInt8(ascii: "0") + UInt8(CharacterTable.shared.record(scalar.value).decimal))
            } else {
                return nil
            }
        }
        func isSpace(_ byte: UInt8) -> Bool { (0x09...0x0D).contains(byte) || byte == 0x20 }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return nil }
        return Array(bytes[first...last])
    }

    private static func skip(_ scalar: Unicode.Scalar, _ bytes: [UInt8], _ position: inout Int) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }

    private static func skipSign(_ bytes: [UInt8], _ position: inout Int) {
        if !Self.skip("+", bytes, &position) { _ = Self.skip("-", bytes, &position) }
    }

    private static func isDigit(_ byte: UInt8, base: Int) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 0x30 < base
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte) - 0x57 < base
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte) - 0x37 < base
        default: false
        }
    }

    /// Digits with at most one underscore between two of them.
    private static func skipDigits(_ bytes: [UInt8], _ position: inout Int, base: Int = 10) -> Bool {
        let start = position
        while position < bytes.count {
            let isUnderscore = bytes[position] == UInt8(ascii: "_")
            let digit = isUnderscore && position > start ? position + 1 : position
            guard digit < bytes.count, Self.isDigit(bytes[digit], base: base) else { break }
            position = digit + 1
        }
        return position > start
    }

    private static func withoutUnderscores(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }
}

/// The decimal digits of a finite floating-point number's magnitude, all of them.
///
/// The C library would give them, too, but with the decimal point of the process's locale.
public struct ExactDecimal: Sendable {
    /// Without zeros in front; empty for 0.
    private let digits: [UInt8]
    /// Where the decimal point is: the value is 0.DIGITS times ten to this power.
    private let point: Int

    public init(_ number: Double) {
        let magnitude = abs(number)
        guard magnitude > 0 else {
            (self.digits, self.point) = ([], 0)
            return
        }
        // The value is `significand` times 2 to the power of `exponent`.
        let exponent = max(Int(magnitude.exponent), -1022) - 52
        let hidden: UInt64 = magnitude.isNormal ? 1 << 52 : 0
        var parts = [UInt32]()
        var rest = magnitude.significandBitPattern | hidden
        while rest > 0 {
            parts.append(UInt32(rest % 1_000_000_000))
            rest /= 1_000_000_000
        }
        func multiply(_ factor: UInt64) {
            var carry: UInt64 = 0
            for index in parts.indices {
                let product = UInt64(parts[index]) * factor + carry
                parts[index] = UInt32(product % 1_000_000_000)
                carry = product / 1_000_000_000
            }
            while carry > 0 {
                parts.append(UInt32(carry % 1_000_000_000))
                carry /= 1_000_000_000
            }
        }
        // Halves are fives of the next decimal place.
        let (base, step): (UInt64, Int) = exponent < 0 ? (5, 13) : (2, 30)
        var left = abs(exponent)
        while left > 0 {
            var factor: UInt64 = 1
            for _ in 0..<min(left, step) { factor *= base }
            multiply(factor)
            left -= min(left, step)
        }
        var digits: [UInt8] = []
        for (index, part) in parts.reversed().enumerated() {
            let text = Array(String(part).utf8)
            if index > 0 { digits.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 9 - text.count)) }
            digits.append(contentsOf: text)
        }
        self.digits = digits
        self.point = digits.count + min(exponent, 0)
    }

    private init(digits: [UInt8], point: Int) { (self.digits, self.point) = (digits, point) }

    /// The number of digits before the decimal point, or less than one for zeros after it; 1 for 0.
    var decimalPoint: Int { self.digits.isEmpty ? 1 : self.point }

    /// Rounded half to even so that `count` digits stay; with none it can be 1.
    private func rounded(_ count: Int) -> ExactDecimal {
        guard count < self.digits.count else { return self }
        guard count >= 0 else { return ExactDecimal(digits: [], point: 0) }
        var kept = Array(self.digits[..<count])
        let rest = self.digits[count...]
        let isUp: Bool
        if rest[count] == UInt8(ascii: "5"), rest.dropFirst().allSatisfy({ $0 == UInt8(ascii: "0") }) {
            isUp = (kept.last ?? UInt8(ascii: "0")) & 1 == 1
        } else {
            isUp = rest[count] >= UInt8(ascii: "5")
        }
        guard isUp else { return ExactDecimal(digits: kept, point: self.point) }
        var index = count - 1
        while index >= 0, kept[index] == UInt8(ascii: "9") {
            kept[index] = UInt8(ascii: "0")
            index -= 1
        }
        guard index < 0 else {
            kept[index] += 1
            return ExactDecimal(digits: kept, point: self.point)
        }
        return ExactDecimal(digits: [UInt8(ascii: "1")] + kept, point: self.point + 1)
    }

    /// With so many digits after the decimal point; with a negative number, that many zeros stand before it.
    public func fixed(_ places: Int) -> String {
        let rounded = self.rounded(self.point + places)
        var text: [UInt8] = []
        let whole = rounded.digits.isEmpty ? 0 : max(rounded.point, 0)
        for index in 0..<whole { text.append(index < rounded.digits.count ? rounded.digits[index] : UInt8(ascii: "0")) }
        if text.isEmpty { text.append(UInt8(ascii: "0")) }
        guard places > 0 else { return String(decoding: text, as: UTF8.self) }
        text.append(UInt8(ascii: "."))
        for place in 0..<places {
            let index = rounded.point + place
            text.append(rounded.digits.indices.contains(index) ? rounded.digits[index] : UInt8(ascii: "0"))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// So many significant digits, with zeros in place of those that there are not, and the decimal point before them.
    public func significant(_ count: Int) -> (digits: [UInt8], point: Int) {
        guard !self.digits.isEmpty else { return ([UInt8](repeating: UInt8(ascii: "0"), count: count), 1) }
        let rounded = self.rounded(count)
        var digits = Array(rounded.digits.prefix(count))
        digits.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: count - digits.count))
        return (digits, rounded.point)
    }
}
