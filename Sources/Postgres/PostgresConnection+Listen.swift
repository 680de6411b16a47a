internal import CPostgres
internal import UVEventLoop

extension PostgresConnection {
    /// The payloads of a channel's notifications from now on; ends when the connection does.
    ///
    /// A slow reader misses the oldest beyond 1024 waiting payloads, so take a payload as "look again", not as data.
    public func listen(_ channel: String) async throws(PostgresError) -> AsyncStream<String> {
        guard !channel.isEmpty, channel.utf8.count <= 63, !channel.utf8.contains(0) else {
            throw PostgresError(.usage, "a channel's name has 1 to 63 bytes, \"\(channel)\" doesn't")
        }
        let (stream, continuation) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingNewest(1024))
        let id = self.listeners.add(continuation, to: channel)
        continuation.onTermination = { [weak self] _ in
            guard let self else { return }
            Task { await self.stopListening(id, on: channel) }
        }
        do throws(PostgresError) {
            _ = try await self.query(PostgresStatement(name: "listen", sql: "LISTEN \(channel.quotedIdentifier)"))
        } catch {
            continuation.finish()
            throw error
        }
        if self.notificationPump == nil {
            self.notificationPump = Task { [weak self] in
                while await self?.pumpNotifications() == true {}
            }
        }
        return stream
    }

    /// Sends a notification; it is delivered at the end of the transaction.
    public func notify(_ channel: String, _ payload: String = "") async throws(PostgresError) {
        _ = try await self.query(
            PostgresStatement(name: "notify", sql: "SELECT pg_notify($1, $2)"), [channel, payload])
    }

    /// Tries whether notifications arrive on this connection; if not (a pooler in between), poll instead.
    public func verifyNotifications(timeout: Duration = .seconds(2)) async throws(PostgresError) -> Bool {
        // A probe could arrive by chance: on the one server process that happened to serve both statements.
        guard self.keepsSession else { return false }
        let channel = "assay_probe_\(UInt64.random(in: .min ... .max))"
        let stream = try await self.listen(channel)
        try await self.notify(channel, "probe")
        let loop = self.loop
        let arrived = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in stream { return true }
                return false
            }
            group.addTask {
                try? await loop.sleep(for: timeout)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
        guard !Task.isCancelled else { throw PostgresError(.cancelled, "cancelled", statement: "notify") }
        return arrived
    }

    private func stopListening(_ id: Listeners.ID, on channel: String) async {
        guard self.listeners.remove(id, from: channel), self.isUsable else { return }
        if self.listeners.isEmpty {
            self.notificationPump?.cancel()
            self.notificationPump = nil
        }
        let unlisten = PostgresStatement(name: "unlisten", sql: "UNLISTEN \(channel.quotedIdentifier)")
        guard (try? await self.query(unlisten)) != nil, self.listeners.has(channel) else { return }
        // Someone began to listen again while that was under way.
        _ = try? await self.query(PostgresStatement(name: "listen", sql: "LISTEN \(channel.quotedIdentifier)"))
    }

    /// Reads once while no statement does; false when there is nothing more to wait for.
    ///
    /// It takes its turn like a statement: what it read away from one that is about to wait for its answer would be waited
    /// for without end. A statement hands on what comes while it runs.
    private func pumpNotifications() async -> Bool {
        guard case .open(let handle) = self.state else { return false }
        do throws(PostgresError) {
            _ = try await self.wait(handle, for: .readable, until: nil)
            try await self.acquire()
            defer { self.release() }
            guard case .open = self.state else { return false }
            guard self.consume(handle) else {
                _ = self.lost(handle)
                return false
            }
            return true
        } catch {
            // Being cancelled only means that nobody listens any more.
            if error.code != .cancelled { self.end(error) }
            return false
        }
    }
}

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
