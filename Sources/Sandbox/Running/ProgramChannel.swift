internal import Synchronization
internal import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The socket that brings a program to its driver, and whose end tells the driver to end.
final class ProgramChannel: Sendable {
    /// The driver's end.
    let remote: CInt
    private let local: CInt
    private let isRemoteOpen = Mutex(true)

    init() throws(SandboxError) {
        var ends: [CInt] = [-1, -1]
        #if canImport(Glibc)
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        #elseif canImport(Musl)
        let kind = SOCK_STREAM | SOCK_CLOEXEC
        #endif
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw SandboxError(.failed, "no sandbox could be started: no socket: \(String(cString: strerror(errno)))")
        }
        (self.local, self.remote) = (ends[0], ends[1])
    }

    deinit {
        self.closeRemote()
        close(self.local)
    }

    /// The driver has its own copy.
    func closeRemote() {
        self.isRemoteOpen.withLock { isOpen in
            if isOpen { close(self.remote) }
            isOpen = false
        }
    }

    /// Tells the driver that the run is over.
    func hangUp() { shutdown(self.local, CInt(SHUT_RDWR)) }

    /// Writes the text with its length before it; gives up when the driver is gone.
    func bring(_ program: String, on loop: EventLoop) async throws {
        let length = UInt64(program.utf8.count)
        var rest = (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) } + Array(program.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { bytes in
                send(self.local, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
            }
            if count > 0 {
                rest.removeFirst(count)
            } else if errno == EAGAIN {
                try await loop.waitUntilWritable(self.local)
            } else if errno != EINTR {
                return
            }
        }
    }
}
