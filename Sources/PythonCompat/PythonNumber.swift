/// Numbers in texts as Python's `int()` and `float()` read them.
public enum PythonNumber {
    /// `int(text)`; `nil` if that is no integer or not in 64 bits.
    public static func int(_ text: String) -> Int? {
        guard let bytes = Self.ascii(text) else { return nil }
        var position = 0
        Self.skipSign(bytes, &position)
        guard Self.skipDigits(bytes, &position), position == bytes.count else { return nil }
        return Int(Self.withoutUnderscores(bytes))
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
        return position == bytes.count ? Double(Self.withoutUnderscores(bytes)) : nil
    }

    /// `str(number)`.
    public static func str(_ number: Double) -> String {
        PythonText.repr(number)
    }

    /// The text with ASCII digits and without space around; `nil` if other characters are in it.
    private static func ascii(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            } else if PythonText.isSpace(scalar) {
                bytes.append(UInt8(ascii: " "))
            } else if scalar.properties.generalCategory == .decimalNumber,
                let digit = scalar.properties.numericValue
            {
                bytes.append(UInt8(ascii: "0") + UInt8(digit))
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

    /// Digits with at most one underscore between two of them.
    private static func skipDigits(_ bytes: [UInt8], _ position: inout Int) -> Bool {
        let start = position
        while position < bytes.count {
            let isUnderscore = bytes[position] == UInt8(ascii: "_")
            let digit = isUnderscore && position > start ? position + 1 : position
            guard digit < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[digit]) else { break }
            position = digit + 1
        }
        return position > start
    }

    private static func withoutUnderscores(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }
}
