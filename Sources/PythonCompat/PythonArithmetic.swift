#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// What Python's numbers do beyond what Swift's do: signs of remainders, exact comparisons, integers of any size.
extension PythonNumber {
    /// A float beside an integer, exactly, whatever a double can hold.
    public static func order(_ a: Double, _ b: BigInteger) -> PythonOrder {
        guard !a.isNaN else { return .unordered }
        guard a.isFinite, let whole = BigInteger(exactly: a.rounded(.down)) else { return a < 0 ? .less : .greater }
        let order = whole.order(b)
        return order == .equal && a != a.rounded(.down) ? .greater : order
    }

    /// `a % b` of floats, with the sign of `b`, which is not 0.
    public static func modulo(_ a: Double, _ b: Double) -> Double {
        var remainder = a.truncatingRemainder(dividingBy: b)
        if remainder != 0 {
            if (b < 0) != (remainder < 0) { remainder += b }
        } else {
            remainder = b < 0 ? -0.0 : 0
        }
        return remainder
    }

    /// `a // b` of floats; `b` is not 0.
    public static func floorDivide(_ a: Double, _ b: Double) -> Double {
        let remainder = a.truncatingRemainder(dividingBy: b)
        var quotient = (a - remainder) / b
        if remainder != 0, (b < 0) != (remainder < 0) { quotient -= 1 }
        guard quotient != 0 else { return a / b < 0 ? -0.0 : (a / b).sign == .minus ? -0.0 : 0 }
        let floor = quotient.rounded(.down)
        return quotient - floor > 0.5 ? floor + 1 : floor
    }

    /// The C library's `pow`, which Python's `**` of floats is but for its errors.
    public static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

    /// `10 ** exponent`; the exponent is not negative.
    public static func powerOfTen(_ exponent: Int) -> BigInteger {
        var (result, square, rest) = (BigInteger(1), BigInteger(10), exponent)
        while rest > 0 {
            if rest & 1 == 1 { result = result * square }
            rest >>= 1
            if rest > 0 { square = square * square }
        }
        return result
    }

    /// `int(number)`.
    public static func truncated(_ number: Double) throws(PythonError) -> BigInteger {
        guard !number.isNaN else { throw PythonError(.value, "cannot convert float NaN to integer") }
        guard let whole = BigInteger(exactly: number.rounded(.towardZero)) else {
            throw PythonError(.overflow, "cannot convert float infinity to integer")
        }
        return whole
    }

    /// `str(number)`, which Python refuses for more than 4,300 digits.
    public static func decimal(_ number: BigInteger) throws(PythonError) -> String {
        let tooLong = PythonError(.value, "Exceeds the limit (4300 digits) for integer string conversion")
        guard number.wordCount <= Self.mostDecimalWords else { throw tooLong }
        let text = number.description
        guard text.utf8.count <= (number.isNegative ? 4301 : 4300) else { throw tooLong }
        return text
    }

    /// Integers of more words have more than 4,300 decimal digits; nothing is computed to refuse them.
    public static let mostDecimalWords = 450

    /// `round(number, digits)` of an integer, half to even; nothing is left of it far to the left of the point.
    public static func round(_ number: BigInteger, digits: Int) -> BigInteger {
        guard digits < 0 else { return number }
        guard digits > -100_000 else { return BigInteger(0) }
        let unit = Self.powerOfTen(-digits)
        let (quotient, remainder) = BigInteger.floorDivide(number, unit)
        let order = (remainder + remainder).order(unit)
        let up = order == .greater || order == .equal && quotient.isOdd
        return (up ? quotient + BigInteger(1) : quotient) * unit
    }

    /// `number.as_integer_ratio()` of a finite float.
    public static func ratio(_ number: Double) -> (numerator: BigInteger, denominator: BigInteger) {
        var (numerator, shift) = (number, 0)
        while numerator != numerator.rounded() {
            numerator *= 2
            shift += 1
        }
        return (BigInteger(exactly: numerator) ?? BigInteger(0), BigInteger(1).shifted(left: shift))
    }

    /// `number.hex()`.
    public static func hex(_ number: Double) -> String {
        guard number.isFinite else { return PythonText.repr(number) }
        let sign = number.sign == .minus ? "-" : ""
        guard number != 0 else { return sign + "0x0.0p+0" }
        let isNormal = number.exponentBitPattern != 0
        let digits = String(number.significandBitPattern, radix: 16)
        let exponent = isNormal ? Int(number.exponentBitPattern) - 1023 : -1022
        return sign + (isNormal ? "0x1." : "0x0.") + String(repeating: "0", count: 13 - digits.utf8.count) + digits
            + "p" + (exponent < 0 ? "-" : "+") + String(exponent.magnitude)
    }
}
