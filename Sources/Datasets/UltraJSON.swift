internal import Glibc
internal import JSON
internal import OrderedCollections

/// What pandas' copy of ujson makes of values: `datasets` sends the rows of a JSON list through it, and all rows of a file
/// with values of several kinds in one place.
enum UltraJSON {
    /// What a number went through.
    enum Rewriting {
        case none
        /// `ujson_loads`.
        case read
        /// `ujson_dumps(ujson_loads(...))`, and Arrow read the text.
        case dumped
        /// `ujson_loads` read that text again.
        case loaded
    }

    /// What a number becomes.
    static func value(_ number: Double, _ rewriting: Rewriting) -> JSONValue {
        switch rewriting {
        case .none: .double(number)
        case .read: number.isNaN ? .null : .double(self.decoded(number))
        case .dumped: number.isFinite ? .double(self.rewritten(number)) : .null
        case .loaded: self.rewritten(JSONValue.double(number))
        }
    }

    private static let smallPowers: [Double] = (0...15).map { Double("1e-\($0)") ?? 0 }

    /// The number that `ujson_dumps(ujson_loads(text))` says for a number's text, which has ten decimals.
    private static func rewritten(_ number: Double) -> Double {
        // Integers of 64 bits without a sign keep their digits.
        if number == number.rounded(), (0x1p63..<0x1p64).contains(number) { return number }
        return number.isFinite ? Double(self.text(self.decoded(number))) ?? number : number
    }

    /// What comes back for a value in a field that is kept as JSON texts.
    ///
    /// A text that is JSON by itself, such as "5" or "null", becomes what it says.
    static func field(_ value: JSONValue) -> JSONValue {
        if case .string(let text) = value { return self.loads(text) ?? value }
        return self.rewritten(value)
    }

    private static func rewritten(_ value: JSONValue) -> JSONValue {
        switch value {
        // What is not finite is written as null.
        case .double(let number):
            number.isFinite ? self.number(Array(self.text(self.decoded(number)).utf8)) ?? value : .null
        case .array(let items): .array(items.map(self.rewritten))
        case .object(let members): .object(members.mapValues(self.rewritten))
        default: value
        }
    }

    /// `ujson_loads(text)`; `nil` where it is an error.
    private static func loads(_ text: String) -> JSONValue? {
        let bytes = Array(text.utf8)
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return nil }
        let body = Array(bytes[first...last])
        switch body[0] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "I"), UInt8(ascii: "N"):
            switch String(decoding: body, as: UTF8.self) {
            case "NaN": return .null
            case "Infinity": return .double(.infinity)
            case "-Infinity": return .double(-.infinity)
            default: return self.number(body)
            }
        default:
            guard
                let value = try? JSONValue.parse(
                    body, [.numbersThatAreNotFinite, .largeIntegers, .repeatedKeys])
            else { return nil }
            return self.decoded(value)
        }
    }

    /// With the numbers as ujson reads them.
    private static func decoded(_ value: JSONValue) -> JSONValue {
        switch value {
        case .double(let number):
            number.isNaN ? .null : .double(self.decoded(number))
        case .array(let items): .array(items.map(self.decoded))
        case .object(let members): .object(members.mapValues(self.decoded))
        default: value
        }
    }

    /// The number that `ujson_loads` reads from another one's text.
    private static func decoded(_ number: Double) -> Double {
        number.isFinite ? self.number(Array(number.description.utf8))?.doubled ?? number : number
    }

    /// A number as `ujson_dumps` writes it.
    private static func text(_ number: Double) -> String {
        let size = abs(number)
        let sign = number < 0 ? "-" : ""
        if size > 1e16 - 1 || (size != 0 && size < 1e-15) { return self.general(number) }
        var whole = UInt64(size)
        let scaled = (size - Double(whole)) * 1e10
        var fraction = UInt64(scaled)
        let rest = scaled - Double(fraction)
        if rest > 0.5 || (rest == 0.5 && (fraction == 0 || fraction & 1 == 1)) { fraction += 1 }
        if fraction >= 10_000_000_000 {
            fraction = 0
            whole += 1
        }
        guard fraction > 0 else { return "\(sign)\(whole).0" }
        var digits = String(fraction)
        digits = String(repeating: "0", count: 10 - digits.utf8.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(sign)\(whole)." + digits
    }

    /// C's "%.10g" for a number that it writes with an exponent.
    private static func general(_ number: Double) -> String {
        var buffer = [CChar](repeating: 0, count: 40)
        let count = withVaList([number]) { vsnprintf(&buffer, 40, "%.10g", $0) }
        return String(decoding: buffer.prefix(Int(max(0, count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A number as `ujson_loads` reads it, by sums of doubles; `nil` where it is an error.
    private static func number(_ bytes: [UInt8]) -> JSONValue? {
        var position = 0
        func digit() -> Double? {
            guard position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else {
                return nil
            }
            return Double(bytes[position] - UInt8(ascii: "0"))
        }
        func take(_ scalar: Unicode.Scalar) -> Bool {
            guard position < bytes.count, bytes[position] == UInt8(ascii: scalar) else { return false }
            position += 1
            return true
        }
        let isNegative = take("-")
        var whole: UInt64 = 0
        while let value = digit() {
            let (product, isLarge) = whole.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) = product.addingReportingOverflow(UInt64(value))
            guard !isLarge, !isLarger, !isNegative || sum <= 1 << 63 else { return nil }
            whole = sum
            position += 1
        }
        var (isInteger, fraction, decimals) = (true, 0.0, 0)
        if take(".") {
            isInteger = false
            while let value = digit() {
                if decimals < 15 {
                    fraction = fraction * 10 + value
                    decimals += 1
                }
                position += 1
            }
        }
        var exponent = 0.0
        var hasExponent = false
        if take("e") || take("E") {
            (isInteger, hasExponent) = (false, true)
            let isSmall = take("-")
            if !isSmall { _ = take("+") }
            while let value = digit() {
                exponent = exponent * 10 + value
                position += 1
            }
            if isSmall { exponent = -exponent }
        }
        guard position == bytes.count else { return nil }
        if isInteger {
            guard whole <= UInt64(Int.max) else {
                return isNegative && whole == 1 << 63 ? .int(.min) : .string(String(whole))
            }
            return .int(isNegative ? -Int(whole) : Int(whole))
        }
        var number = (Double(whole) + fraction * self.smallPowers[decimals]) * (isNegative ? -1 : 1)
        if hasExponent { number *= pow(10, exponent) }
        return .double(number)
    }
}

extension JSONValue {
    fileprivate var doubled: Double? {
        switch self {
        case .double(let number): number
        case .int(let number): Double(number)
        default: nil
        }
    }
}
