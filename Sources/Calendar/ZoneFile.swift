/// Reads zone files in the format TZif (RFC 9636), every byte checked.
enum ZoneFile {
    /// The largest file of the tz database has 4 kB.
    static let maximumBytes = 256 << 10

    /// - Throws: What is wrong, for a message that names the file.
    static func parse(_ bytes: [UInt8], name: String) throws(CalendarError) -> ZoneRules {
        var reader = ByteReader(bytes)
        var counts = try reader.header()
        guard counts.version >= 2 else {
            return try reader.rules(counts, timeBytes: 4, name: name)
        }
        // The first block is for readers of 32 bits.
        try reader.skip(counts.blockBytes(timeBytes: 4))
        counts = try reader.header()
        return try reader.rules(counts, timeBytes: 8, name: name)
    }

    static func broken(_ what: String) -> CalendarError {
        CalendarError("it is not a zone file: \(what)")
    }
}

private struct Counts {
    var version: Int
    var utc: Int
    var standard: Int
    var leap: Int
    var times: Int
    var types: Int
    var characters: Int

    func blockBytes(timeBytes: Int) -> Int {
        times * (timeBytes + 1) + types * 6 + characters + leap * (timeBytes + 4) + standard + utc
    }
}

private struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    mutating func take(_ count: Int) throws(CalendarError) -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw ZoneFile.broken("it ends too early") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func skip(_ count: Int) throws(CalendarError) {
        _ = try take(count)
    }

    /// A signed number, the highest byte first.
    mutating func number(_ width: Int) throws(CalendarError) -> Int64 {
        let bytes = try take(width)
        let bits = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return width == 4 ? Int64(Int32(truncatingIfNeeded: bits)) : Int64(bitPattern: bits)
    }

    mutating func header() throws(CalendarError) -> Counts {
        guard try take(4).elementsEqual("TZif".utf8) else { throw ZoneFile.broken("it does not begin with 'TZif'") }
        let version = try take(1).first.map { $0 == 0 ? 1 : Int($0) - 48 } ?? 0
        try skip(15)
        var numbers: [Int] = []
        for _ in 0..<6 {
            let number = try number(4)
            guard (0...100_000).contains(number) else { throw ZoneFile.broken("it counts \(number) entries") }
            numbers.append(Int(number))
        }
        return Counts(
            version: version, utc: numbers[0], standard: numbers[1], leap: numbers[2], times: numbers[3],
            types: numbers[4], characters: numbers[5])
    }

    mutating func rules(_ counts: Counts, timeBytes: Int, name: String) throws(CalendarError) -> ZoneRules {
        guard counts.leap == 0 else {
            throw ZoneFile.broken("it counts leap seconds, which the clocks of computers do not; use the one in posix/")
        }
        var times: [Int64] = []
        for _ in 0..<counts.times {
            let time = try number(timeBytes)
            guard times.last.map({ $0 <= time }) ?? true else { throw ZoneFile.broken("its times are not in order") }
            // Some files begin with the big bang: long before all schedules is as good, and can be reckoned with.
            times.append(min(max(time, -(1 << 40)), 1 << 40))
        }
        let kinds = try take(counts.times).map { Int($0) }
        let offsets = try offsets(counts)
        guard let first = offsets.first, kinds.allSatisfy(offsets.indices.contains) else {
            throw ZoneFile.broken("a change names an offset that is not there")
        }
        try skip(counts.standard + counts.utc)
        return ZoneRules(
            name: name, first: first,
            transitions: zip(times, kinds).map { ZoneRules.Transition(at: $0, offset: offsets[$1]) },
            rule: timeBytes == 8 ? try footer() : nil)
    }

    private mutating func offsets(_ counts: Counts) throws(CalendarError) -> [ZoneRules.Offset] {
        var types: [(seconds: Int64, name: Int)] = []
        for _ in 0..<counts.types {
            let seconds = try number(4)
            guard abs(seconds) <= 26 * 3600 else { throw ZoneFile.broken("it has an offset of \(seconds) seconds") }
            types.append((seconds, try take(2).last.map { Int($0) } ?? 0))
        }
        let characters = Array(try take(counts.characters))
        var offsets: [ZoneRules.Offset] = []
        for type in types {
            guard type.name < characters.count else { throw ZoneFile.broken("a name is not there") }
            let name = characters[type.name...].prefix { $0 != 0 }
            offsets.append(
                ZoneRules.Offset(seconds: type.seconds, abbreviation: String(decoding: name, as: UTF8.self)))
        }
        return offsets
    }

    /// The rule between two line ends; nil when it is empty, because the last change stays for ever.
    private mutating func footer() throws(CalendarError) -> ZoneRule? {
        guard try take(1).first == UInt8(ascii: "\n"), let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
            throw ZoneFile.broken("its last line is missing")
        }
        let text = String(decoding: rest[..<end], as: UTF8.self)
        guard !text.isEmpty else { return nil }
        guard let rule = ZoneRule(text) else { throw ZoneFile.broken("its rule '\(text.prefix(80))' is none") }
        return rule
    }
}
