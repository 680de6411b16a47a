internal import CLanguageData
internal import PythonCompat

/// langdetect's guess at a text's language, as it is with `DetectorFactory.seed = 0`.
///
/// The method is Shuyo's (2010): naive Bayes on n-grams drawn at random, until one language is certain.
public enum LanguageDetector {
    private static let trials = 7
    private static let lastRound = 1000
    private static let smoothing = (mean: 0.5, deviation: 0.05, base: 10_000.0)

    /// langdetect `detect`: a language's code or "unknown"; `nil` where it raises an error, as nothing can be told.
    public static func language(_ text: [Unicode.Scalar]) -> String? {
        let profiles = LanguageProfiles.all
        let grams = Self.grams(LanguageText.cleaned(text), profiles)
        guard !grams.isEmpty else { return nil }
        var random = PythonRandom(seed: 0)
        var gauss = PythonGauss()
        var sums = [Double](repeating: 0, count: profiles.names.count)
        for _ in 0..<Self.trials {
            let alpha = Self.smoothing.mean + gauss.next(&random) * Self.smoothing.deviation
            let probabilities = Self.trial(grams, languages: sums.count, weight: alpha / Self.smoothing.base, &random)
            for (index, probability) in probabilities.enumerated() { sums[index] += probability / Double(Self.trials) }
        }
        var best: (index: Int, sum: Double)?
        for (index, sum) in sums.enumerated() where sum > 0.1 && sum > best?.sum ?? 0 { best = (index, sum) }
        return best.map { profiles.names[$0.index] } ?? "unknown"
    }

    private static func trial(
        _ grams: [ArraySlice<LanguageProfiles.Entry>], languages: Int, weight: Double, _ random: inout PythonRandom
    ) -> [Double] {
        var probabilities = [Double](repeating: 1 / Double(languages), count: languages)
        var round = 0
        while true {
            var factors = [Double](repeating: weight, count: languages)
            for entry in grams[random.below(grams.count)] { factors[entry.language] += entry.probability }
            for index in probabilities.indices { probabilities[index] *= factors[index] }
            if round % 5 == 0, Self.normalize(&probabilities) > 0.99999 || round >= Self.lastRound {
                return probabilities
            }
            round += 1
        }
    }

    /// langdetect `Detector._normalize_prob`: gives the largest.
    private static func normalize(_ probabilities: inout [Double]) -> Double {
        let sum = probabilities.reduce(0, +)
        for index in probabilities.indices { probabilities[index] /= sum }
        return probabilities.reduce(0) { $0 < $1 ? $1 : $0 }
    }

    /// langdetect `Detector._extract_ngrams`: what the profiles say of each n-gram that they know.
    private static func grams(
        _ text: [Unicode.Scalar], _ profiles: LanguageProfiles
    ) -> [ArraySlice<LanguageProfiles.Entry>] {
        let characters = LanguageCharacters.all
        var grams: [ArraySlice<LanguageProfiles.Entry>] = []
        // The last code points, at most three, from a space on.
        var window: [Unicode.Scalar] = [" "]
        var isCapitalWord = false
        for scalar in text.lazy.map(characters.normalized) {
            let last = window.last ?? " "
            if last == " " {
                window = [" "]
                isCapitalWord = false
                if scalar == " " { continue }
            } else if window.count >= 3 {
                window.removeFirst()
            }
            window.append(scalar)
            if !PythonText.isUpper(scalar) {
                isCapitalWord = false
            } else if PythonText.isUpper(last) {
                isCapitalWord = true
            }
            if isCapitalWord { continue }
            for length in 1...window.count where length > 1 || scalar != " " {
                guard let gram = LanguageProfiles.NGram(window.suffix(length)) else { continue }
                let entries = profiles.entries(gram)
                if !entries.isEmpty { grams.append(entries) }
            }
        }
        return grams
    }
}

/// The tables in CLanguageData: lines of fields with tabs between them.
enum LanguageData {
    static let profiles = Self.lines(clanguagedata_profiles)
    static let characters = Self.lines(clanguagedata_characters)
    static let punkt = Self.lines(clanguagedata_punkt)

    private static func lines(_ table: (UnsafeMutablePointer<Int>?) -> UnsafePointer<UInt8>?) -> [[String]] {
        var length = 0
        guard let bytes = table(&length) else { return [] }
        let lines = UnsafeBufferPointer(start: bytes, count: length).split(separator: UInt8(ascii: "\n"))
        return lines.map { line in
            line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }
}

/// How often texts of each language have which n-grams, as langdetect's `DetectorFactory` keeps it.
struct LanguageProfiles: Sendable {
    /// Up to three code points of the basic plane, in 16 bits each.
    struct NGram: Hashable, Sendable {
        fileprivate let bits: UInt64

        /// `nil` for code points that are in no profile.
        init?(_ scalars: CodePoints) {
            var bits: UInt64 = 0
            for scalar in scalars {
                guard scalar.value <= 0xFFFF else { return nil }
                bits = bits << 16 | UInt64(scalar.value)
            }
            self.bits = bits
        }
    }

    struct Entry: Sendable {
        fileprivate let bits: UInt64
        /// The language's number.
        let language: Int
        let probability: Double
    }

    /// langdetect's 55, by name; its own order is that of the folder, which decides about nothing but the last bits.
    let names: [String]
    /// By n-gram and language.
    private let entries: [Entry]

    static let all = LanguageProfiles(LanguageData.profiles)

    private init(_ lines: [[String]]) {
        self.names = lines.compactMap(\.first)
        self.entries = lines.enumerated()
            .flatMap { Self.entries($0.element, language: $0.offset) }
            .sorted { ($0.bits, $0.language) < ($1.bits, $1.language) }
    }

    /// langdetect `DetectorFactory.add_profile`.
    private static func entries(_ fields: [String], language: Int) -> [Entry] {
        guard fields.count == 8 else { return [] }
        let totals = Self.numbers(fields[1])
        var entries: [Entry] = []
        for (index, total) in totals.enumerated() {
            let grams = Array(fields[2 + 2 * index].unicodeScalars)
            var (position, count) = (0, 0)
            for step in Self.numbers(fields[3 + 2 * index]) {
                count += step
                if let gram = NGram(grams[position...].prefix(index + 1)) {
                    entries.append(
                        Entry(bits: gram.bits, language: language, probability: Double(count) / Double(total)))
                }
                position += index + 1
            }
        }
        return entries
    }

    private static func numbers(_ field: String) -> [Int] {
        field.utf8.split(separator: UInt8(ascii: " ")).map { digits in
            digits.reduce(0) { $0 * 10 + Int($1 &- UInt8(ascii: "0")) }
        }
    }

    /// The languages that have an n-gram; empty if none has.
    func entries(_ gram: NGram) -> ArraySlice<Entry> {
        var (low, high) = (0, self.entries.count)
        while low < high {
            let middle = (low + high) / 2
            if self.entries[middle].bits < gram.bits { low = middle + 1 } else { high = middle }
        }
        return self.entries[low...].prefix { $0.bits == gram.bits }
    }
}

/// What langdetect keeps of a text.
enum LanguageText {
    /// How many code points are looked at.
    private static let limit = 10_000
    /// How many code points what is cut off can change before it: an address may be there that goes on.
    private static let margin = 4096

    /// langdetect `Detector.append` and `Detector.cleaning_text` for one text.
    static func cleaned(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var length = 1 << 16
        var plain = Self.withoutAddresses(Array(text.prefix(length)))
        while length < text.count, plain.count < Self.limit + Self.margin {
            length *= 4
            plain = Self.withoutAddresses(Array(text.prefix(length)))
        }
        var kept: [Unicode.Scalar] = []
        var before: Unicode.Scalar?
        for scalar in plain.prefix(Self.limit) {
            if scalar != " " || before != " " { kept.append(scalar) }
            before = scalar
        }
        return Self.withoutStrayLatin(kept)
    }

    private static func withoutAddresses(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        LanguageCharacters.all.composed(Self.withoutMail(Self.withoutURLs(text)))
    }

    /// Leaves out Latin letters if there are more than twice as many others.
    private static func withoutStrayLatin(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        let isLatin = { (scalar: Unicode.Scalar) in ("A"..."z").contains(scalar) }
        let latin = text.count(where: isLatin)
        let other = text.count { $0.value >= 0x300 }
        return latin * 2 < other ? text.filter { !isLatin($0) } : text
    }

    /// `re.sub(r"https?://[-_.?&~;+=/#0-9A-Za-z]{1,2076}", " ", text)`.
    private static func withoutURLs(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var rewriter = TextRewriter(text)
        rewriter.substitute({ $0 == "h" }) { rest, _, result in
            guard let scheme = ["http://", "https://"].first(where: { rest.starts(with: $0.unicodeScalars) }) else {
                return nil
            }
            let path = rest.dropFirst(scheme.utf8.count).prefix(2076).prefix(while: Self.isPathCharacter)
            guard !path.isEmpty else { return nil }
            result.append(" ")
            return path.endIndex
        }
        return rewriter.text
    }

    /// `re.sub(r"[-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}", " ", text)`.
    private static func withoutMail(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var rewriter = TextRewriter(text)
        rewriter.substitute({ $0 == "@" }) { rest, before, result in
            guard let before, Self.isMailCharacter(before), let end = Self.hostEnd(rest.dropFirst()) else { return nil }
            result.removeLast(Self.nameLength(result))
            result.append(" ")
            return end
        }
        return rewriter.text
    }

    /// How many code points before an @ are its address's; a space stands in the place of another address.
    private static func nameLength(_ text: [Unicode.Scalar]) -> Int {
        text.suffix(64).reversed().prefix(while: Self.isMailCharacter).count
    }

    /// Where the part of a mail address behind the @ ends.
    private static func hostEnd(_ rest: CodePoints) -> Int? {
        let first = rest.prefix(255).prefix { $0 != "." && Self.isMailCharacter($0) }
        let second = rest[first.endIndex...].prefix(255).prefix(while: Self.isMailCharacter)
        // The second part may take its one character from the first.
        guard !first.isEmpty, !second.isEmpty || first.count >= 2 else { return nil }
        return second.endIndex
    }

    private static func isMailCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "-", "_", ".", "0"..."9", "A"..."Z", "a"..."z": true
        default: false
        }
    }

    private static func isPathCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "?", "&", "~", ";", "+", "=", "/", "#": true
        default: Self.isMailCharacter(scalar)
        }
    }
}

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
