public import FoundationEssentials

/// Numbers and times as people read them.
public enum Format {
    /// 134515008 as "134.5M".
    public static func count(_ value: Int64) -> String {
        for (limit, suffix) in [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")] where Double(value) >= limit {
            return "\(self.fixed(Double(value) / limit, 1))\(suffix)"
        }
        return "\(value)"
    }

    /// 25300000000 as "25.3 GB".
    public static func bytes(_ value: Int64) -> String {
        for (limit, suffix) in [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")] where Double(value) >= limit {
            return "\(self.fixed(Double(value) / limit, 1)) \(suffix)"
        }
        return "\(value) B"
    }

    /// With so many digits behind the point, rounded half away from zero.
    public static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let power = (0..<digits).reduce(1.0) { power, _ in power * 10 }
        let scaled = (abs(value) * power).rounded()
        guard scaled < 9e18 else { return "\(value)" }
        var text = "\(Int64(scaled))"
        text = String(repeating: "0", count: max(digits + 1 - text.count, 0)) + text
        let sign = value < 0 && scaled > 0 ? "-" : ""
        return digits == 0 ? sign + text : "\(sign)\(text.dropLast(digits)).\(text.suffix(digits))"
    }

    /// In UTC: "2026-03-01 14:05:09Z".
    public static func time(_ date: Date) -> String {
        let text = date.formatted(.iso8601)
        return text.replacing("T", with: " ")
    }

    /// A name in a column of its own, and its value.
    public static func field(_ name: String, _ value: String) -> PrintedText {
        self.field(name, PrintedText(value))
    }

    public static func field(_ name: String, _ value: PrintedText) -> PrintedText {
        let name = PrintedText(name)
        return "\(name)\(String(repeating: " ", count: max(18 - name.width, 1)))\(value)"
    }

    /// "1 job", "2 jobs".
    public static func counted(_ count: Int, _ thing: String) -> String {
        "\(count) \(thing)\(count == 1 ? "" : "s")"
    }

    public static func percent(_ part: Int, of whole: Int) -> Int {
        whole > 0 ? part * 100 / whole : 100
    }
}
