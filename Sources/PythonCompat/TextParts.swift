/// Texts as sequences of code points, whose indices Python counts by.
extension PythonText {
    /// The number of code points.
    public static func length(_ text: String) -> Int { text.utf8.reduce(0) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) } }

    /// Code points are ordered as their UTF-8 bytes are.
    public static func order(_ a: String, _ b: String) -> PythonOrder {
        if Self.equal(a, b) { return .equal }
        return a.utf8.lexicographicallyPrecedes(b.utf8) ? .less : .greater
    }

    public static func contains(_ text: String, _ part: String) -> Bool {
        guard !part.isEmpty else { return true }
        guard part.utf8.count <= text.utf8.count else { return false }
        return ByteSearch(part).first(in: Array(text.utf8), from: 0) != nil
    }

    /// The code points from one place up to another, both within the text.
    public static func slice(_ text: String, _ start: Int, _ end: Int) -> String {
        guard start < end else { return "" }
        let utf8 = text.utf8
        let from = Self.position(start, in: utf8, from: utf8.startIndex)
        return String(text[from..<Self.position(end - start, in: utf8, from: from)])
    }

    /// Where so many code points end.
    private static func position(
        _ count: Int, in utf8: String.UTF8View, from start: String.UTF8View.Index
    ) -> String.UTF8View.Index {
        var position = start
        var left = count
        while position < utf8.endIndex {
            if utf8[position] & 0xC0 != 0x80 {
                if left == 0 { return position }
                left -= 1
            }
            position = utf8.index(after: position)
        }
        return position
    }

    @inlinable
    public static func string(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    @inlinable
    public static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Python's `str.split()` without separator.
    public static func words(_ text: String, most: Int) -> [String] {
        var words: [String] = []
        let scalars = text.unicodeScalars
        var position = scalars.startIndex
        while true {
            while position < scalars.endIndex, Self.isSpace(scalars[position]) {
                position = scalars.index(after: position)
            }
            guard position < scalars.endIndex else { break }
            if words.count == most {
                var end = scalars.endIndex
                while Self.isSpace(scalars[scalars.index(before: end)]) { end = scalars.index(before: end) }
                words.append(String(scalars[position..<end]))
                break
            }
            let start = position
            while position < scalars.endIndex, !Self.isSpace(scalars[position]) {
                position = scalars.index(after: position)
            }
            words.append(String(scalars[start..<position]))
        }
        return words
    }

    public static func wordsFromRight(_ text: String, most: Int) -> [String] {
        var words: [String] = []
        let scalars = text.unicodeScalars
        var position = scalars.endIndex
        func before() -> Unicode.Scalar { scalars[scalars.index(before: position)] }
        while true {
            while position > scalars.startIndex, Self.isSpace(before()) {
                position = scalars.index(before: position)
            }
            guard position > scalars.startIndex else { break }
            if words.count == most {
                let start = scalars.firstIndex { !Self.isSpace($0) } ?? scalars.startIndex
                words.append(String(scalars[start..<position]))
                break
            }
            let end = position
            while position > scalars.startIndex, !Self.isSpace(before()) {
                position = scalars.index(before: position)
            }
            words.append(String(scalars[position..<end]))
        }
        return words.reversed()
    }

    /// Python's `str.split(separator)`.
    public static func split(_ text: String, by separator: String, most: Int, fromRight: Bool = false) -> [String] {
        let bytes = Array(text.utf8)
        let search = ByteSearch(separator)
        let places = fromRight ? search.allFromRight(in: bytes, most: most) : search.all(in: bytes, most: most)
        var parts: [String] = []
        var start = 0
        for place in places {
            parts.append(Self.string(bytes[start..<place]))
            start = place + search.part.count
        }
        parts.append(Self.string(bytes[start...]))
        return parts
    }

    /// Python's `str.replace(old, new, most)` by code points; `most` is negative for all.
    public static func replace(
        _ text: String, _ old: String, with new: String, most: Int = -1
    ) -> String {
        var bytes: [UInt8] = []
        let most = most < 0 ? Int.max : most
        guard !old.isEmpty else {
            var result = String.UnicodeScalarView()
            var count = 0
            for scalar in text.unicodeScalars {
                if count < most { result.append(contentsOf: new.unicodeScalars) }
                count += 1
                result.append(scalar)
            }
            if count < most { result.append(contentsOf: new.unicodeScalars) }
            return String(result)
        }
        let whole = Array(text.utf8)
        let search = ByteSearch(old)
        let places = search.all(in: whole, most: most)
        guard !places.isEmpty else { return text }
        var start = 0
        for place in places {
            bytes.append(contentsOf: whole[start..<place])
            bytes.append(contentsOf: new.utf8)
            start = place + search.part.count
        }
        bytes.append(contentsOf: whole[start...])
        return Self.string(bytes)
    }

    /// How often a part stands in a text without overlap.
    public static func count(_ text: String, _ part: String) -> Int {
        guard !part.isEmpty else { return Self.length(text) + 1 }
        return ByteSearch(part).all(in: Array(text.utf8)).count
    }

    public static func hasPrefix(_ text: String, _ part: String) -> Bool { text.utf8.starts(with: part.utf8) }

    public static func hasSuffix(_ text: String, _ part: String) -> Bool {
        text.utf8.count >= part.utf8.count && text.utf8.suffix(part.utf8.count).elementsEqual(part.utf8)
    }

    /// The value of a decimal digit of any script; `nil` for another code point.
    public static func digit(_ scalar: Unicode.Scalar) -> Int? {
        if scalar.isASCII { return scalar.hexDigit.flatMap { $0 < 10 ? $0 : nil } }
        return Self.isDecimal(scalar) ? CharacterTable.shared.record(scalar.value).decimal : nil
    }
}

/// Looks for bytes in others, in a time that grows with their lengths only (Knuth, Morris and Pratt 1977).
public struct ByteSearch: Sendable {
    public let part: [UInt8]
    private let borders: [Int]

    public init(_ part: String) { self.init(bytes: Array(part.utf8)) }

    /// Where the part, which is not empty, first stands from `start` on.
    public func first(in bytes: [UInt8], from start: Int, to end: Int? = nil) -> Int? {
        let end = end ?? bytes.count
        guard end - start >= self.part.count else { return nil }
        return bytes.withUnsafeBufferPointer { bytes in
            self.part.withUnsafeBufferPointer { part in
                var matched = 0
                for position in start..<end {
                    while matched > 0, bytes[position] != part[matched] { matched = self.borders[matched] }
                    if bytes[position] == part[matched] { matched += 1 }
                    if matched == part.count { return position + 1 - matched }
                }
                return nil
            }
        }
    }

    /// All places that do not overlap, from left to right, at most so many.
    public func all(in bytes: [UInt8], most: Int = Int.max) -> [Int] {
        var places: [Int] = []
        var position = 0
        while places.count < most, let place = self.first(in: bytes, from: position) {
            places.append(place)
            position = place + self.part.count
        }
        return places
    }

    /// Where the part stands last.
    public func last(in bytes: [UInt8]) -> Int? {
        let reversed = ByteSearch(bytes: self.part.reversed())
        return reversed.first(in: bytes.reversed(), from: 0).map { bytes.count - $0 - self.part.count }
    }

    private init(bytes part: [UInt8]) {
        var borders = [0, 0]
        var border = 0
        for position in part.indices.dropFirst() {
            while border > 0, part[position] != part[border] { border = borders[border] }
            if part[position] == part[border] { border += 1 }
            borders.append(border)
        }
        self.part = part
        self.borders = borders
    }

    /// All places that do not overlap, from right to left, at most so many, in the order of the text.
    public func allFromRight(in bytes: [UInt8], most: Int) -> [Int] {
        let reversed = ByteSearch(bytes: self.part.reversed())
        return reversed.all(in: bytes.reversed(), most: most).map { bytes.count - $0 - self.part.count }.reversed()
    }
}

extension Unicode.Scalar {
    /// The value of an ASCII digit of the hexadecimal system.
    public var hexDigit: Int? {
        switch self {
        case "0"..."9": Int(self.value) - 0x30
        case "a"..."f": Int(self.value) - 0x61 + 10
        case "A"..."F": Int(self.value) - 0x41 + 10
        default: nil
        }
    }
}
