/// The names of code points, as `\N{...}` has them.
enum CharacterNames {
    /// The code point of a name or alias, in any case; `nil` if CPython's Unicode has none.
    static func scalar(named name: String) -> Unicode.Scalar? {
        let name = PythonText.upper(name)
        let ideograph = "CJK UNIFIED IDEOGRAPH-"
        if name.hasPrefix(ideograph) {
            let digits = name.dropFirst(ideograph.count)
            guard (4...5).contains(digits.utf8.count), let point = UInt32(digits, radix: 16) else { return nil }
            return Unicode.Scalar(point).flatMap { PythonText.category($0) == "Lo" ? $0 : nil }
        }
        // Ideographs stand between these, and private characters behind; none of them has another name.
        for range in [UInt32(0)...0x33FF, 0x4DC0...0x4DFF, 0xA000...0x1FFFF, 0xE0000...0xE0FFF] {
            for point in range {
                guard let scalar = Unicode.Scalar(point) else { continue }
                let properties = scalar.properties
                guard properties.name == name || properties.nameAlias == name, PythonText.category(scalar) != "Cn"
                else { continue }
                return scalar
            }
        }
        return nil
    }
}
