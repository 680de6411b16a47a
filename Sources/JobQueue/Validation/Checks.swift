// What the database would refuse too, said in words that help.

/// Checks that a text can be stored: its length in Unicode scalars, and no NUL character.
func check(_ text: String, _ what: String, _ length: ClosedRange<Int>) throws(QueueError) {
    let count = text.unicodeScalars.count
    guard length.contains(count) else {
        throw QueueError(
            .invalid,
            "\(what) has \(count) characters: it must have \(length.lowerBound) to \(length.upperBound)")
    }
    guard !text.utf8.contains(0) else {
        throw QueueError(.invalid, "\(what) contains a NUL character: remove it")
    }
}

func check(_ number: Int, _ what: String, _ range: ClosedRange<Int>) throws(QueueError) {
    guard range.contains(number) else {
        throw QueueError(.invalid, "\(what) is \(number): it must be \(range.lowerBound) to \(range.upperBound)")
    }
}

func check(seconds: Double, _ what: String) throws(QueueError) {
    guard seconds >= 0, seconds.isFinite else {
        throw QueueError(.invalid, "\(what) is \(seconds) seconds: it must be a number that is not negative")
    }
}

/// Checks for a short word such as "cpu" or "cuda".
func check(deviceKind: String, _ what: String) throws(QueueError) {
    let isPlain = deviceKind.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) }
    guard (1...20).contains(deviceKind.utf8.count), isPlain else {
        throw QueueError(
            .invalid, "\(what) is '\(deviceKind.prefix(40))': a kind of device is a word such as cpu or cuda")
    }
}

/// Checks for 64 lower-case hexadecimal digits.
func check(sha256: String, _ what: String) throws(QueueError) {
    let isDigit = { (byte: UInt8) in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
    guard sha256.utf8.count == 64, sha256.utf8.allSatisfy(isDigit) else {
        throw QueueError(
            .invalid, "\(what) is '\(sha256.prefix(80))': a sha256 has 64 lower-case hexadecimal digits")
    }
}

/// What a PostgreSQL integer holds.
let storableCount = 0...Int(Int32.max)

/// The largest text that is stored in one value.
let storableText = 0...(256 << 20)
