/// A set of code points, as a class, a dot or a letter of any case matches them.
///
/// With IGNORECASE CPython puts lower-case forms in the set, with those that have the same upper case, and looks for the
/// lower-case form of a code point. Beyond the BMP it puts in what the pattern has; that is kept.
struct CharacterSet: Sendable, Hashable {
    enum Category: Sendable, Hashable {
        case digit
        case word
        case space
    }

    enum Item: Sendable, Hashable {
        case points(ClosedRange<UInt32>)
        case category(Category, isNegated: Bool)
    }

    /// What a set is made of, as a pattern has it.
    struct Description: Sendable, Hashable {
        var items: [Item]
        var isNegated = false
        var folding: Folding
        var isASCII: Bool
    }

    /// How code points are changed before they are compared.
    enum Folding: Sendable, Hashable {
        case none
        case ascii
        case unicode

        func lower(_ point: UInt32) -> UInt32 {
            switch self {
            case .none: point
            case .ascii: point &- 0x41 < 26 ? point | 0x20 : point
            case .unicode: CharacterTable.shared.lowerInPatterns(point)
            }
        }

        /// Whether a code point has another case.
        func isCased(_ point: UInt32) -> Bool {
            switch self {
            case .none: false
            case .ascii: point | 0x20 >= 0x61 && point | 0x20 <= 0x7A && point < 0x80
            case .unicode: CharacterTable.shared.record(point).flags.contains(.casedInPatterns)
            }
        }
    }

    /// What matches of the first 128 code points.
    private var low0: UInt64 = 0
    private var low1: UInt64 = 0
    /// In order, without overlap.
    private var ranges: [ClosedRange<UInt32>] = []
    private var categories: [Item] = []
    /// Ranges beyond the BMP that hold the upper-case form, too.
    private var wideRanges: [ClosedRange<UInt32>] = []
    private let isNegated: Bool
    private let isASCII: Bool
    private var folding = Folding.none

    init(_ description: Description) {
        let folding = description.folding
        self.isNegated = description.isNegated
        self.isASCII = description.isASCII
        var points: [ClosedRange<UInt32>] = []
        for item in description.items {
            switch item {
            case .category: self.categories.append(item)
            case .points(let range):
                guard folding != .none else {
                    points.append(range)
                    continue
                }
                if range.upperBound > 0xFFFF {
                    self.folding = folding
                    if range.count == 1 { points.append(range) } else { self.wideRanges.append(range) }
                }
                if range.lowerBound <= 0xFFFF {
                    let range = range.clamped(to: 0...0xFFFF)
                    points.append(range)
                    if Self.addCases(of: range, folding, to: &points) { self.folding = folding }
                }
            }
        }
        self.ranges = Self.merged(points)
        for point in UInt32(0)..<128 where self.holds(point) {
            if point < 64 { self.low0 |= 1 << UInt64(point) } else { self.low1 |= 1 << UInt64(point - 64) }
        }
    }

    /// A set of just these code points, or of all others.
    init(points: [UInt32], isNegated: Bool = false) {
        self.init(
            Description(items: points.map { .points($0...$0) }, isNegated: isNegated, folding: .none, isASCII: false))
    }

    @inline(__always)
    func contains(_ point: UInt32) -> Bool {
        if point < 64 { return self.low0 >> UInt64(point) & 1 != 0 }
        if point < 128 { return self.low1 >> UInt64(point - 64) & 1 != 0 }
        return self.holds(point)
    }

    /// Whether it is everything there is.
    var isEverything: Bool {
        self.isNegated && self.ranges.isEmpty && self.categories.isEmpty && self.wideRanges.isEmpty
    }

    /// The code points, if it is two or one.
    var pair: (UInt32, UInt32)? {
        guard !self.isNegated, self.folding == .none, self.categories.isEmpty, self.wideRanges.isEmpty,
            let first = self.ranges.first, let last = self.ranges.last, self.ranges.reduce(0, { $0 + $1.count }) <= 2
        else { return nil }
        return (first.lowerBound, last.upperBound)
    }

    private func holds(_ original: UInt32) -> Bool {
        let point = self.folding.lower(original)
        return
            (self.isInRanges(point) || self.categories.contains { self.isIn($0, point) }
            || self.wideRanges.contains {
                $0.contains(point) || $0.contains(CharacterTable.shared.upperInPatterns(point))
            })
            != self.isNegated
    }

    private func isInRanges(_ point: UInt32) -> Bool {
        var (low, high) = (0, self.ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if self.ranges[middle].upperBound < point { low = middle + 1 } else { high = middle }
        }
        return low < self.ranges.count && self.ranges[low].lowerBound <= point
    }

    private func isIn(_ item: Item, _ point: UInt32) -> Bool {
        guard case .category(let category, let isNegated) = item else { return false }
        return Self.isIn(category, point, isASCII: self.isASCII) != isNegated
    }

    static func isIn(_ category: Category, _ point: UInt32, isASCII: Bool) -> Bool {
        if isASCII, point >= 0x80 { return false }
        let flags = CharacterTable.shared.record(point).flags
        switch category {
        case .digit: return flags.contains(.decimal)
        case .word: return point == 0x5F || flags.rawValue & CharacterTable.Flags.alphanumeric.rawValue != 0
        // The ASCII version knows no information separators.
        case .space: return flags.contains(.space) && !(isASCII && (0x1C...0x1F).contains(point))
        }
    }

    /// Adds the other cases of what is in a range; whether there are any.
    private static func addCases(
        of range: ClosedRange<UInt32>, _ folding: Folding, to points: inout [ClosedRange<UInt32>]
    ) -> Bool {
        let table = CharacterTable.shared
        let cased = folding == .unicode ? table.casedInPatterns : Array(0x41...0x5A) + Array(0x61...0x7A)
        var (low, high) = (0, cased.count)
        while low < high {
            let middle = (low + high) / 2
            if cased[middle] < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        let first = low
        while low < cased.count, cased[low] <= range.upperBound {
            let lower = folding.lower(cased[low])
            points.append(lower...lower)
            if folding == .unicode { for extra in table.extraCases[lower] ?? [] { points.append(extra...extra) } }
            low += 1
        }
        return low > first
    }

    private static func merged(_ points: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var merged: [ClosedRange<UInt32>] = []
        for range in points.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound &+ 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return merged
    }

    /// The code points that a letter of a pattern matches under IGNORECASE; `nil` if it is none.
    static func cases(of point: UInt32, _ folding: Folding) -> [UInt32]? {
        guard folding.isCased(point) else { return nil }
        let lower = folding.lower(point)
        guard folding == .unicode else { return [lower, lower - 0x20] }
        let table = CharacterTable.shared
        let lowers = [lower] + (table.extraCases[lower] ?? [])
        return lowers.flatMap { table.sameLower[$0] ?? [$0] }
    }
}
