extension PythonText {
    /// Python's `str.lower()`, by the Unicode 14 that Python 3.11 has.
    ///
    /// Swift's `lowercased()` knows no final sigma, and letters that came after Unicode 14.
    static func lowercased(_ text: String, from start: Int = 0) -> [Unicode.Scalar] {
        let scalars = Array(text.unicodeScalars)
        var lower: [Unicode.Scalar] = []
        lower.reserveCapacity(scalars.count)
        for (position, scalar) in scalars.enumerated().dropFirst(start) {
            if scalar == "\u{3A3}" {
                lower.append(Self.endsWord(position, of: scalars) ? "\u{3C2}" : "\u{3C3}")
            } else {
                Self.appendLowercase(of: scalar, to: &lower)
            }
        }
        return lower
    }

    /// As text; see `lowercased`.
    static func lower(_ text: String) -> String { String(String.UnicodeScalarView(Self.lowercased(text))) }

    private static func appendLowercase(of scalar: Unicode.Scalar, to lower: inout [Unicode.Scalar]) {
        if scalar.isASCII {
            lower.append(("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar)
        } else if let age = scalar.properties.age, age.major <= 14 {
            lower.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        } else {
            lower.append(scalar)
        }
    }

    /// Unicode's condition Final_Sigma: a cased letter before it and none behind it, whatever is ignorable apart.
    private static func endsWord(_ position: Int, of scalars: [Unicode.Scalar]) -> Bool {
        func isCased(_ scalar: Unicode.Scalar?) -> Bool { scalar?.properties.isCased ?? false }
        let before = scalars[..<position].last { !$0.properties.isCaseIgnorable }
        let behind = scalars[(position + 1)...].first { !$0.properties.isCaseIgnorable }
        return isCased(before) && !isCased(behind)
    }
}
