/// What CPython knows of each code point; CharacterData names the version.
///
/// The runs are unpacked once into blocks of 128 code points, of which equal ones are kept once.
final class CharacterTable: Sendable {
    struct Flags: OptionSet {
        let rawValue: UInt32

        static let alpha = Flags(rawValue: 1 << 0)
        static let decimal = Flags(rawValue: 1 << 1)
        static let digit = Flags(rawValue: 1 << 2)
        static let numeric = Flags(rawValue: 1 << 3)
        static let space = Flags(rawValue: 1 << 4)
        static let upper = Flags(rawValue: 1 << 5)
        static let lower = Flags(rawValue: 1 << 6)
        static let printable = Flags(rawValue: 1 << 7)
        static let identifierStart = Flags(rawValue: 1 << 8)
        static let identifierPart = Flags(rawValue: 1 << 9)
        static let lineEnd = Flags(rawValue: 1 << 10)
        static let title = Flags(rawValue: 1 << 11)
        static let cased = Flags(rawValue: 1 << 12)
        /// What the search for a final sigma looks over.
        static let caseIgnorable = Flags(rawValue: 1 << 13)
        /// What `re` takes as a letter with another case.
        static let casedInPatterns = Flags(rawValue: 1 << 14)
        /// Some form of it has several code points, or its lower case differs in `re`.
        static let special = Flags(rawValue: 1 << 15)

        static let alphanumeric: Flags = [.alpha, .decimal, .digit, .numeric]
    }

    struct Record {
        var flags: Flags
        /// What is added for the lower case of `re`, and of `str.lower` unless there is a special form.
        var lower: Int32
        var upper: Int32
        var title: Int32
        var folded: Int32

        /// The number of its general category, from 0.
        var category: Int { Int(self.flags.rawValue >> 16 & 0x1F) }
        /// The value of a decimal digit.
        var decimal: Int { Int(self.flags.rawValue >> 24 & 0xF) }
    }

    enum Form: Int {
        case lower
        case upper
        case title
        case folded
    }

    static let shared = CharacterTable()
    /// The names of the general categories.
    static let categories = CharacterData.categories.split(separator: " ").map(String.init)

    private static let shift: UInt32 = 7
    private static let blockSize = 1 << Int(CharacterTable.shift)

    private let records: [Record]
    /// Where the cells of each block begin.
    private let blocks: [UInt16]
    /// The numbers of records.
    private let cells: [UInt16]
    private let specials: [UInt32: [[UInt32]]]
    /// For a lower-case code point of `re`, the others with the same upper case.
    let extraCases: [UInt32: [UInt32]]
    /// Code points that `re` takes as letters with another case, in order.
    let casedInPatterns: [UInt32]
    /// For a lower-case code point of `re`, all that have it as their lower case.
    let sameLower: [UInt32: [UInt32]]

    private init() {
        var records: [Record] = []
        let values = Self.numbers(CharacterData.records)
        for start in stride(from: 0, to: values.count - 4, by: 5) {
            records.append(
                Record(
                    flags: Flags(rawValue: UInt32(values[start])), lower: Int32(values[start + 1]),
                    upper: Int32(values[start + 2]), title: Int32(values[start + 3]), folded: Int32(values[start + 4])))
        }
        self.records = records
        (self.blocks, self.cells) = Self.unpacked(Self.numbers(CharacterData.runs))
        var specials: [UInt32: [[UInt32]]] = [:]
        var words = Self.numbers(CharacterData.specials)[...]
        while let point = words.popFirst() {
            let forms = (0..<4).map { _ in
                let count = words.popFirst() ?? 0
                defer { words = words.dropFirst(count) }
                return words.prefix(count).map { UInt32($0) }
            }
            specials[UInt32(point)] = forms
        }
        self.specials = specials
        var extraCases: [UInt32: [UInt32]] = [:]
        words = Self.numbers(CharacterData.extraCases)[...]
        while let point = words.popFirst(), let count = words.popFirst() {
            extraCases[UInt32(point)] = words.prefix(count).map { UInt32($0) }
            words = words.dropFirst(count)
        }
        self.extraCases = extraCases
        var cased: [UInt32] = []
        var sameLower: [UInt32: [UInt32]] = [:]
        var point = 0
        let runs = Self.numbers(CharacterData.runs)
        for index in stride(from: 0, to: runs.count - 1, by: 2) {
            let record = records[runs[index + 1]]
            if record.flags.contains(.casedInPatterns) {
                for point in UInt32(point)..<UInt32(point + runs[index]) {
                    cased.append(point)
                    sameLower[UInt32(Int32(point) + record.lower), default: []].append(point)
                }
            }
            point += runs[index]
        }
        self.casedInPatterns = cased
        self.sameLower = sameLower
    }

    private static func unpacked(_ runs: [Int]) -> (blocks: [UInt16], cells: [UInt16]) {
        var blocks: [UInt16] = []
        var cells: [UInt16] = []
        var known: [[UInt16]: UInt16] = [:]
        var block: [UInt16] = []
        func place(_ block: [UInt16]) -> UInt16 {
            if let start = known[block] { return start }
            let start = UInt16(cells.count / Self.blockSize)
            cells.append(contentsOf: block)
            known[block] = start
            return start
        }
        for index in stride(from: 0, to: runs.count - 1, by: 2) {
            var (left, number) = (runs[index], UInt16(runs[index + 1]))
            while left > 0 {
                if block.isEmpty, left >= Self.blockSize {
                    let whole = place([UInt16](repeating: number, count: Self.blockSize))
                    let count = left / Self.blockSize
                    blocks.append(contentsOf: repeatElement(whole, count: count))
                    left -= count * Self.blockSize
                    continue
                }
                let count = min(left, Self.blockSize - block.count)
                block.append(contentsOf: repeatElement(number, count: count))
                left -= count
                if block.count == Self.blockSize {
                    blocks.append(place(block))
                    block.removeAll(keepingCapacity: true)
                }
            }
        }
        return (blocks, cells)
    }

    private static func numbers(_ text: String) -> [Int] {
        var numbers: [Int] = []
        var (number, isNegative, hasDigits) = (0, false, false)
        for byte in text.utf8 {
            if byte == UInt8(ascii: "-") {
                isNegative = true
            } else if byte >= UInt8(ascii: "0") {
                number = number * 10 + Int(byte - UInt8(ascii: "0"))
                hasDigits = true
            } else if hasDigits {
                numbers.append(isNegative ? -number : number)
                (number, isNegative, hasDigits) = (0, false, false)
            }
        }
        if hasDigits { numbers.append(isNegative ? -number : number) }
        return numbers
    }

    /// The record of a code point; that of an unassigned one beyond U+10FFFF.
    @inline(__always)
    func record(_ point: UInt32) -> Record {
        guard point < 0x110000 else { return Record(flags: [], lower: 0, upper: 0, title: 0, folded: 0) }
        let start = Int(self.blocks[Int(point >> Self.shift)]) << Int(Self.shift)
        return self.records[Int(self.cells[start + Int(point) & (Self.blockSize - 1)])]
    }

    @inline(__always)
    static func has(_ flags: Flags, _ scalar: Unicode.Scalar) -> Bool {
        Self.shared.record(scalar.value).flags.rawValue & flags.rawValue != 0
    }

    /// Appends a form of a code point; lower case without the final sigma.
    func append(_ form: Form, of scalar: Unicode.Scalar, to scalars: inout [Unicode.Scalar]) {
        let record = self.record(scalar.value)
        if record.flags.contains(.special), let forms = self.specials[scalar.value] {
            for point in forms[form.rawValue] { if let mapped = Unicode.Scalar(point) { scalars.append(mapped) } }
            return
        }
        let delta =
            switch form {
            case .lower: record.lower
            case .upper: record.upper
            case .title: record.title
            case .folded: record.folded
            }
        scalars.append(Unicode.Scalar(UInt32(Int32(scalar.value) + delta)) ?? scalar)
    }

    /// What `re` compares under IGNORECASE.
    @inline(__always)
    func lowerInPatterns(_ point: UInt32) -> UInt32 { UInt32(Int32(point) &+ self.record(point).lower) }

    /// The simple upper case that `re` asks for beyond the BMP.
    func upperInPatterns(_ point: UInt32) -> UInt32 { UInt32(Int32(point) &+ self.record(point).upper) }
}

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
        // Ideographs stand between these, and private characters follow; none of them has another name.
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
