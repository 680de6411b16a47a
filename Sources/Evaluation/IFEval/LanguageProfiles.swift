internal import PythonCompat

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
