/// Which code points are one to langdetect's n-grams.
struct LanguageCharacters: Sendable {
    /// Letters with a mark, by both.
    private let vietnamese: [[Unicode.Scalar]: Unicode.Scalar]
    /// The first of its class, by Chinese character.
    private let chinese: [Unicode.Scalar: Unicode.Scalar]

    static let all = LanguageCharacters(LanguageData.characters)

    private init(_ lines: [[String]]) {
        let fields = (lines.first ?? []).map { Array($0.unicodeScalars) }
        var vietnamese: [[Unicode.Scalar]: Unicode.Scalar] = [:]
        if fields.count > 2 {
            for (mark, composed) in zip(fields[1], fields[2...]) {
                for (letter, composed) in zip(fields[0], composed) { vietnamese[[letter, mark]] = composed }
            }
        }
        self.vietnamese = vietnamese
        var chinese: [Unicode.Scalar: Unicode.Scalar] = [:]
        for line in lines.dropFirst() {
            guard let first = line.first?.unicodeScalars.first else { continue }
            for scalar in line.joined().unicodeScalars { chinese[scalar] = first }
        }
        self.chinese = chinese
    }

    /// langdetect `NGram.normalize_vi`: one code point for a letter and a mark.
    func composed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            let next = position + 1
            if next < text.count, (0x300...0x323).contains(text[next].value),
                let composed = self.vietnamese[[text[position], text[next]]]
            {
                result.append(composed)
                position += 2
            } else {
                result.append(text[position])
                position += 1
            }
        }
        return result
    }

    /// langdetect `NGram.normalize`: a space for what is no letter, and one letter for many of the same kind.
    func normalized(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0...0x7F: ("A"..."Z").contains(scalar) || ("a"..."z").contains(scalar) ? scalar : " "
        case 0xA0, 0xAB, 0xB0, 0xBB: " "
        // Romanian letters with a comma below are those with a cedilla.
        case 0x219: "\u{15F}"
        case 0x21B: "\u{163}"
        case 0x6CC: "\u{64A}"
        case 0x1EA0...0x1EFF: "\u{1EC3}"
        case 0x2000...0x206F: " "
        case 0x3040...0x309F: "\u{3042}"
        case 0x30A0...0x30FF: "\u{30A2}"
        case 0x3100...0x312F, 0x31A0...0x31BF: "\u{3105}"
        case 0x4E00...0x9FFF: self.chinese[scalar] ?? scalar
        case 0xAC00...0xD7AF: "\u{AC00}"
        default: scalar
        }
    }
}
