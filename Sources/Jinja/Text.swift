internal import PythonCompat

/// Texts as sequences of code points, whose indices Python counts by.
enum Text {
    /// The number of code points.
    static func length(_ text: String) -> Int { text.utf8.reduce(0) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) } }

    /// Code points are ordered as their UTF-8 bytes are.
    static func order(_ a: String, _ b: String) -> Order {
        if isSame(a, b) { return .equal }
        return a.utf8.lexicographicallyPrecedes(b.utf8) ? .less : .greater
    }

    static func contains(_ text: String, _ part: String) -> Bool {
        guard !part.isEmpty else { return true }
        guard part.utf8.count <= text.utf8.count else { return false }
        return Search(part).first(in: Array(text.utf8), from: 0) != nil
    }

    /// The code points from one place up to another, both within the text.
    static func slice(_ text: String, _ start: Int, _ end: Int) -> String {
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

    /// Each code point as a text of its own.
    static func characters(_ text: String) -> [Value] {
        text.unicodeScalars.map { .string(String(Character($0))) }
    }

    static func string(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Looks for bytes in others, in a time that grows with their lengths only (Knuth, Morris and Pratt 1977).
    struct Search {
        let part: [UInt8]
        private let borders: [Int]

        init(_ part: String) {
            let part = Array(part.utf8)
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

        /// Where the part, which is not empty, first stands from `start` on.
        func first(in bytes: [UInt8], from start: Int, to end: Int? = nil) -> Int? {
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
        func all(in bytes: [UInt8], most: Int = Int.max) -> [Int] {
            var places: [Int] = []
            var position = 0
            while places.count < most, let place = self.first(in: bytes, from: position) {
                places.append(place)
                position = place + self.part.count
            }
            return places
        }

        /// Where the part stands last.
        func last(in bytes: [UInt8]) -> Int? {
            let reversed = Search(reversing: self.part)
            return reversed.first(in: bytes.reversed(), from: 0).map { bytes.count - $0 - self.part.count }
        }

        private init(reversing part: [UInt8]) {
            self.init(bytes: part.reversed())
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
        func allFromRight(in bytes: [UInt8], most: Int) -> [Int] {
            let reversed = Search(reversing: self.part)
            return reversed.all(in: bytes.reversed(), most: most).map { bytes.count - $0 - self.part.count }.reversed()
        }
    }

    // MARK: Parts

    /// Python's `str.split()` without separator.
    static func words(_ text: String, most: Int) -> [String] {
        var words: [String] = []
        let scalars = text.unicodeScalars
        var position = scalars.startIndex
        while true {
            while position < scalars.endIndex, PythonText.isSpace(scalars[position]) {
                position = scalars.index(after: position)
            }
            guard position < scalars.endIndex else { break }
            if words.count == most {
                var end = scalars.endIndex
                while PythonText.isSpace(scalars[scalars.index(before: end)]) { end = scalars.index(before: end) }
                words.append(String(scalars[position..<end]))
                break
            }
            let start = position
            while position < scalars.endIndex, !PythonText.isSpace(scalars[position]) {
                position = scalars.index(after: position)
            }
            words.append(String(scalars[start..<position]))
        }
        return words
    }

    static func wordsFromRight(_ text: String, most: Int) -> [String] {
        var words: [String] = []
        let scalars = text.unicodeScalars
        var position = scalars.endIndex
        func before() -> Unicode.Scalar { scalars[scalars.index(before: position)] }
        while true {
            while position > scalars.startIndex, PythonText.isSpace(before()) {
                position = scalars.index(before: position)
            }
            guard position > scalars.startIndex else { break }
            if words.count == most {
                let start = scalars.firstIndex { !PythonText.isSpace($0) } ?? scalars.startIndex
                words.append(String(scalars[start..<position]))
                break
            }
            let end = position
            while position > scalars.startIndex, !PythonText.isSpace(before()) {
                position = scalars.index(before: position)
            }
            words.append(String(scalars[position..<end]))
        }
        return words.reversed()
    }

    /// Python's `str.split(separator)`.
    static func split(_ text: String, by separator: String, most: Int, fromRight: Bool = false) -> [String] {
        let bytes = Array(text.utf8)
        let search = Search(separator)
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

    /// Python's `str.replace`; `most` is negative for all.
    static func replace(_ text: String, _ old: String, _ new: String, most: Int) -> String {
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
        let search = Search(old)
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
    static func count(_ text: String, _ part: String) -> Int {
        guard !part.isEmpty else { return Self.length(text) + 1 }
        return Search(part).all(in: Array(text.utf8)).count
    }

    /// Python's `str.strip` with characters, or white space for `nil`.
    static func strip(_ text: String, _ characters: String?, left: Bool = true, right: Bool = true) -> String {
        if let characters { return PythonText.strip(text, of: characters, left: left, right: right) }
        return left ? right ? PythonText.strip(text) : PythonText.lstrip(text) : PythonText.rstrip(text)
    }

    static func hasPrefix(_ text: String, _ part: String) -> Bool { text.utf8.starts(with: part.utf8) }

    static func hasSuffix(_ text: String, _ part: String) -> Bool {
        text.utf8.count >= part.utf8.count && text.utf8.suffix(part.utf8.count).elementsEqual(part.utf8)
    }

    /// HTML's characters as entities.
    static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x26, 0x3C, 0x3E, 0x27, 0x22].contains($0) }) else { return text }
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes.append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "<"): bytes.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): bytes.append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "'"): bytes.append(contentsOf: "&#39;".utf8)
            case UInt8(ascii: "\""): bytes.append(contentsOf: "&#34;".utf8)
            default: bytes.append(byte)
            }
        }
        return Self.string(bytes)
    }
}

/// Numbers and names in texts.
extension Text {
    /// The value of a decimal digit of any script.
    static func digit(_ scalar: Unicode.Scalar) -> Int? {
        if scalar.isASCII { return scalar.hexDigit.flatMap { $0 < 10 ? $0 : nil } }
        guard PythonText.isDecimal(scalar) else { return nil }
        return scalar.properties.numericValue.map { Int($0) }
    }

    /// What Jinja takes as part of a name; whether it is one is asked later.
    static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        PythonText.isWord(scalar) || !scalar.isASCII && PythonText.isIdentifier("a" + String(Character(scalar)))
    }

    /// Python's `int(text, base)`; `nil` for what is none, or has more digits than Python takes.
    static func integer(_ text: String, base: Int) -> BigInteger? {
        var scalars = Array(Self.strip(text, nil).unicodeScalars)[...]
        var isNegative = false
        if let sign = scalars.first, sign == "+" || sign == "-" {
            isNegative = sign == "-"
            scalars.removeFirst()
        }
        var base = base
        let prefixes: [(letters: [Unicode.Scalar], base: Int)] = [
            (["x", "X"], 16), (["o", "O"], 8), (["b", "B"], 2),
        ]
        if scalars.first == "0", let letter = scalars.dropFirst().first,
            let prefix = prefixes.first(where: { $0.letters.contains(letter) }), base == 0 || base == prefix.base
        {
            base = prefix.base
            scalars = scalars.dropFirst(2)
            if scalars.first == "_" { scalars.removeFirst() }
        } else if base == 0 {
            base = 10
            // No number but zero begins with a zero.
            if scalars.first == "0", scalars.contains(where: { $0 != "0" && $0 != "_" }) { return nil }
        }
        var digits: [UInt8] = []
        var wasDigit = false
        for scalar in scalars {
            if scalar == "_" {
                guard wasDigit else { return nil }
                wasDigit = false
                continue
            }
            wasDigit = true
            if scalar.isASCII {
                digits.append(UInt8(scalar.value))
            } else {
                guard let digit = Self.digit(scalar) else { return nil }
                digits.append(0x30 + UInt8(digit))
            }
        }
        guard wasDigit else { return nil }
        if base.nonzeroBitCount != 1, digits.count > 4300 { return nil }
        guard digits.count <= 20_000, let number = BigInteger(digits: digits, base: base) else { return nil }
        return isNegative ? number.negated : number
    }
}
