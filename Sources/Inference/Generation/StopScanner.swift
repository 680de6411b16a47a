/// Looks for stop strings in the bytes of a text that grows token by token.
///
/// Bytes are compared, not characters: a token may end within a character, and UTF-8 can't be mistaken in the middle.
struct StopScanner: Sendable {
    private let stops: [[UInt8]]
    private let longest: Int
    /// The end of the text, as far as a stop string may have begun in it.
    private var bytes: [UInt8] = []
    private(set) var foundStop = false

    /// Empty strings are ignored.
    init(stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
        self.longest = self.stops.map(\.count).max() ?? 0
    }

    /// Adds a token's bytes; returns whether a stop string has been in the text.
    mutating func append(_ piece: [UInt8]) -> Bool {
        guard !self.foundStop, self.longest > 0 else { return self.foundStop }
        // A new occurrence ends within the new bytes, so it begins not much before them.
        self.bytes = self.bytes.suffix(self.longest - 1) + piece
        self.foundStop = self.bytes.indices.contains { offset in
            self.stops.contains { self.bytes[offset...].starts(with: $0) }
        }
        return self.foundStop
    }

    /// The text before the first occurrence of each stop string, one after the other, as lm-eval cuts it.
    static func cut(_ text: String, before stops: [String]) -> String {
        var bytes = Array(text.utf8)[...]
        for stop in stops.map({ Array($0.utf8) }) where !stop.isEmpty {
            if let place = bytes.firstRange(of: stop) { bytes = bytes[..<place.lowerBound] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
