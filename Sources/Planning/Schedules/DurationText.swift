/// Durations as people write them: "12h", "90s", "1d 12h", "1h30m".
enum DurationText {
    private static let units: [(name: Character, seconds: Int)] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)]

    /// Seconds; nil when it is no duration, or longer than ten thousand days.
    static func seconds(_ text: String) -> Int? {
        var total = 0
        var digits = ""
        var isEmpty = true
        for character in text {
            if character.isASCII, character.isNumber, digits.count < 9 {
                digits.append(character)
            } else if let unit = self.units.first(where: { $0.name == character }), let number = Int(digits) {
                total += number * unit.seconds
                guard total <= 864_000_000 else { return nil }
                digits = ""
                isEmpty = false
            } else if character != " " || !digits.isEmpty {
                return nil
            }
        }
        // Nothing takes no unit.
        if isEmpty, digits == "0" { return 0 }
        return isEmpty || !digits.isEmpty ? nil : total
    }
}
