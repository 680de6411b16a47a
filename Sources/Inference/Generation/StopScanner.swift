/// Collects the bytes of a text that grows token by token, and finds the first stop string.
///
/// Bytes are compared, not characters: a token may end within a character, and UTF-8 can't be mistaken
/// in the middle.
struct StopScanner: Sendable {
    private let stops: [[UInt8]]
    private let longest: Int
    private(set) var bytes: [UInt8] = []
    /// Where the stop string begins, once one was found.
    private(set) var stopOffset: Int?

    /// Empty strings are ignored.
    init(stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
        self.longest = self.stops.map(\.count).max() ?? 0
    }

    /// Adds a token's bytes; returns whether a stop string is in the text now.
    mutating func append(_ piece: [UInt8]) -> Bool {
        // A new occurrence ends within the new bytes, so it begins not much before them.
        let start = max(0, self.bytes.count - max(self.longest - 1, 0))
        self.bytes += piece
        guard self.stopOffset == nil, self.longest > 0 else { return self.stopOffset != nil }
        self.stopOffset = (start..<max(start, self.bytes.count)).first { offset in
            self.stops.contains { self.bytes[offset...].starts(with: $0) }
        }
        return self.stopOffset != nil
    }

    /// The text before the stop string; invalid UTF-8 is replaced by U+FFFD.
    var text: String {
        String(decoding: self.bytes.prefix(self.stopOffset ?? self.bytes.count), as: UTF8.self)
    }
}
