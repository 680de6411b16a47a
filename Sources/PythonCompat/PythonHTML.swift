/// Python's `html` and what of `urllib.parse` belongs to HTML.
public enum PythonHTML {
    private static let entities: [String: String] = {
        var entities: [String: String] = [:]
        for entry in HTMLEntities.table.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            guard let mark = entry.firstIndex(where: { $0 == ";" || $0 == "," }) else { continue }
            let name = String(entry[..<mark])
            let scalars = entry[entry.index(after: mark)...].split(separator: "+").compactMap {
                UInt32($0, radix: 16).flatMap(Unicode.Scalar.init)
            }
            let text = PythonText.string(scalars)
            entities[name + ";"] = text
            if entry[mark] == "," { entities[name] = text }
        }
        return entities
    }()

    /// Python's `html.unescape`.
    public static func unescape(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        var position = 0
        while position < scalars.count {
            guard scalars[position] == "&", let (end, replacement) = Self.entity(scalars, position + 1) else {
                result.append(scalars[position])
                position += 1
                continue
            }
            result.append(contentsOf: replacement.unicodeScalars)
            position = end
        }
        return String(result)
    }

    /// The entity whose name starts here, and where it ends.
    private static func entity(_ scalars: [Unicode.Scalar], _ start: Int) -> (end: Int, text: String)? {
        func at(_ index: Int) -> Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }
        if at(start) == "#" {
            let isHex = at(start + 1) == "x" || at(start + 1) == "X"
            let first = start + (isHex ? 2 : 1)
            var end = first
            var number = 0
            while let digit = at(end)?.hexDigit, digit < (isHex ? 16 : 10) {
                number = min(number * (isHex ? 16 : 10) + digit, 0x110000)
                end += 1
            }
            if end > first { return (at(end) == ";" ? end + 1 : end, Self.character(number)) }
        }
        var end = start
        let stops: Set<Unicode.Scalar> = ["\t", "\n", "\u{C}", " ", "<", "&", "#", ";"]
        while let scalar = at(end), end - start < 32, !stops.contains(scalar) { end += 1 }
        guard end > start else { return nil }
        if at(end) == ";" { end += 1 }
        let name = PythonText.string(scalars[start..<end])
        if let text = Self.entities[name] { return (end, text) }
        // The longest beginning that is a name.
        var length = end - start - 1
        while length > 1 {
            if let text = Self.entities[PythonText.string(scalars[start..<start + length])] {
                return (end, text + PythonText.string(scalars[(start + length)..<end]))
            }
            length -= 1
        }
        return (end, "&" + name)
    }

    /// What Windows-1252 has from 0x80 to 0x9F, which browsers take such numbers for.
    private static let windows: [UInt32] = [
        0x20AC, 0x81, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x8D, 0x17D,
        0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x9D,
        0x17E, 0x178,
    ]

    private static func character(_ number: Int) -> String {
        switch number {
        case 0, 0xD800...0xDFFF, 0x110000...: return "\u{FFFD}"
        case 0x0D: return "\r"
        case 0x80...0x9F: return PythonText.string([Unicode.Scalar(Self.windows[number - 0x80]) ?? " "])
        case 0x1...0x8, 0xE...0x1F, 0x7F, 0xB, 0xFDD0...0xFDEF: return ""
        default:
            if number & 0xFFFE == 0xFFFE { return "" }
            return PythonText.string([Unicode.Scalar(UInt32(number)) ?? " "])
        }
    }

    /// Python's `urllib.parse.quote`, or `quote_plus` without safe slashes for queries.
    public static func quote(_ text: String, isQuery: Bool) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            case UInt8(ascii: "/") where !isQuery: bytes.append(byte)
            case UInt8(ascii: " ") where isQuery: bytes.append(UInt8(ascii: "+"))
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return PythonText.string(bytes)
    }
}
