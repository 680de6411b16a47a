/// Numbers as people read them; the exact ones stand in report.json.
enum NumberText {
    /// `value` with `decimals` digits after the point.
    static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return value.description }
        var factor = 1.0
        for _ in 0..<decimals { factor *= 10 }
        let scaled = (value.magnitude * factor).rounded(.toNearestOrEven)
        guard scaled < 9e15 else { return value.description }
        let digits = String(Int(scaled))
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        let sign = value < 0 && scaled > 0 ? "\u{2212}" : ""
        guard decimals > 0 else { return sign + padded }
        return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
    }

    /// As many decimals as a score of this size is told with: about four or five digits that count.
    static func decimals(for value: Double) -> Int {
        switch value.magnitude {
        case ..<10: 4
        case ..<100: 3
        case ..<1000: 2
        default: 1
        }
    }

    /// A part of one in percent, such as "12.5 %".
    static func percent(_ share: Double) -> String {
        "\(Self.fixed(share * 100, decimals: 1)) %"
    }

    /// A count with narrow spaces between thousands.
    static func count(_ count: Int, separator: String = "\u{202F}") -> String {
        let digits = String(count.magnitude)
        var text = ""
        for (offset, digit) in digits.enumerated() {
            if offset > 0, (digits.count - offset).isMultiple(of: 3) { text += separator }
            text.append(digit)
        }
        return count < 0 ? "\u{2212}" + text : text
    }
}
