/// The streams that wait for notifications.
struct Listeners {
    typealias ID = Int

    private var streams: [String: [ID: AsyncStream<String>.Continuation]] = [:]
    private var lastID = 0

    var isEmpty: Bool { self.streams.isEmpty }

    func has(_ channel: String) -> Bool { self.streams[channel] != nil }

    mutating func add(_ continuation: AsyncStream<String>.Continuation, to channel: String) -> ID {
        self.lastID += 1
        self.streams[channel, default: [:]][self.lastID] = continuation
        return self.lastID
    }

    /// Forgets a stream; true when the channel has none left.
    mutating func remove(_ id: ID, from channel: String) -> Bool {
        guard self.streams[channel]?.removeValue(forKey: id) != nil else { return false }
        guard self.streams[channel]?.isEmpty == true else { return false }
        self.streams[channel] = nil
        return true
    }

    func yield(_ payload: String, on channel: String) {
        for continuation in (self.streams[channel] ?? [:]).values { continuation.yield(payload) }
    }

    mutating func finishAll() {
        let streams = self.streams
        self.streams = [:]
        for continuation in streams.values.flatMap(\.values) { continuation.finish() }
    }
}
