public import Postgres
public import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A way to a test's database that can be frozen, as a network that swallows everything, or cut.
public actor StallingProxy {
    /// Where a connection breaks.
    public enum Break: String, Sendable, CaseIterable {
        /// Before the server has seen anything of what was said.
        case question
        /// In the middle of what was said.
        case tornQuestion
        /// When the server has answered, before anybody has seen the answer.
        case answer
    }

    /// Connects through the proxy.
    public nonisolated let configuration: PostgresConfiguration
    private nonisolated let loop: EventLoop
    private let folder: String
    private let server: String
    private let listener: CInt
    private var links: [Int: [CInt]] = [:]
    private var linkCount = 0
    private var acceptor: Task<Void, Never>?
    private var isFrozen = false
    private var frozen: [PendingResult<Void>] = []
    private var nextBreak: Break?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.loop.asUnownedSerialExecutor() }

    /// Starts to listen in a folder of its own.
    public init(before database: TestDatabase) async throws {
        try await self.init(before: database.configuration, on: database.loop)
    }

    public init(before server: PostgresConfiguration, on loop: EventLoop) async throws {
        let text = server.connectionString
        guard let host = text.firstMatch(of: #/host='([^']*)'/#)?.1, let port = text.firstMatch(of: #/port='(\d+)'/#)?.1
        else { throw UnixSocket.Failed(call: "read \(text)") }
        self.folder = try UnixSocket.makeFolder()
        self.server = "\(host)/.s.PGSQL.\(port)"
        self.listener = try UnixSocket.listening(at: "\(self.folder)/.s.PGSQL.\(port)")
        // The process at the other end is this one.
        var configuration = try PostgresConfiguration(
            text.replacing(host, with: self.folder).replacing(#/ requirepeer='[^']*'/#, with: ""))
        configuration.searchPath = server.searchPath
        configuration.applicationName = server.applicationName
        self.configuration = configuration
        self.loop = loop
        self.acceptor = Task { await self.accept() }
    }

    /// Passes nothing on any more, in either direction, and lets new connections wait.
    public func freeze() { self.isFrozen = true }

    /// Passes on again, also what came while it was frozen.
    public func thaw() {
        self.isFrozen = false
        for pending in self.frozen { pending.finish(.success(())) }
        self.frozen = []
    }

    /// Breaks all connections that there are.
    public func cut() {
        for descriptor in self.links.values.joined() { shutdown(descriptor, CInt(SHUT_RDWR)) }
    }

    /// Has the next connection that says something break there.
    public func breakNext(_ place: Break?) { self.nextBreak = place }

    /// Takes the order to break back.
    ///
    /// - Returns: Whether something broke.
    public func disarm() -> Bool {
        defer { self.nextBreak = nil }
        return self.nextBreak == nil
    }

    /// How much of what came may be passed on; less than all of it when the connection is to break here.
    private func passable(_ count: Int, isQuestion: Bool) -> Int {
        switch (self.nextBreak, isQuestion) {
        case (.question, true), (.answer, false):
            self.nextBreak = nil
            return 0
        case (.tornQuestion, true):
            self.nextBreak = nil
            return count / 2
        default: return count
        }
    }

    /// Breaks everything and goes away.
    public func close() async {
        self.thaw()
        self.acceptor?.cancel()
        await self.acceptor?.value
        Glibc.close(self.listener)
        self.cut()
        for name in self.server.split(separator: "/").suffix(1) { unlink("\(self.folder)/\(name)") }
        rmdir(self.folder)
    }

    private func accept() async {
        while (try? await self.loop.waitUntilReadable(self.listener)) != nil {
            guard await self.passes() else { return }
            let client = Glibc.accept(self.listener, nil, nil)
            guard client >= 0 else { continue }
            guard let server = try? UnixSocket.connected(to: self.server) else {
                Glibc.close(client)
                continue
            }
            self.linkCount += 1
            let link = self.linkCount
            self.links[link] = [client, server]
            Task {
                await withTaskGroup { group in
                    group.addTask { await self.pump(from: client, to: server, isQuestion: true) }
                    group.addTask { await self.pump(from: server, to: client, isQuestion: false) }
                }
                self.end(link)
            }
        }
    }

    private func end(_ link: Int) {
        for descriptor in self.links.removeValue(forKey: link) ?? [] { Glibc.close(descriptor) }
    }

    /// Passes bytes on until either end is closed, and then closes the other one.
    private func pump(from source: CInt, to target: CInt, isQuestion: Bool) async {
        var buffer = [UInt8](repeating: 0, count: 65536)
        copying: while (try? await self.loop.waitUntilReadable(source)) != nil {
            guard await self.passes() else { break }
            let count = read(source, &buffer, buffer.count)
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            guard count > 0 else { break }
            let passable = self.passable(count, isQuestion: isQuestion)
            var sent = 0
            while sent < passable {
                let written = buffer.withUnsafeBytes {
                    send(target, $0.baseAddress! + sent, passable - sent, CInt(MSG_NOSIGNAL))
                }
                if written > 0 {
                    sent += written
                } else if errno == EAGAIN || errno == EINTR {
                    guard (try? await self.loop.waitUntilWritable(target)) != nil else { break copying }
                } else {
                    break copying
                }
            }
            guard passable == count else { break }
        }
        shutdown(source, CInt(SHUT_RDWR))
        shutdown(target, CInt(SHUT_RDWR))
    }

    /// Waits while nothing is passed on; false when the task is cancelled.
    private func passes() async -> Bool {
        while self.isFrozen {
            let pending = PendingResult<Void>()
            self.frozen.append(pending)
            guard (try? await pending.value {}) != nil else { return false }
        }
        return !Task.isCancelled
    }
}
