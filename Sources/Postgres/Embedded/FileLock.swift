internal import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A lock between processes; the kernel drops it when the process ends.
struct FileLock {
    private let descriptor: CInt

    static func acquire(_ path: String, timeout: Duration, on loop: EventLoop) async throws(PostgresError) -> FileLock {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw PostgresError(systemCall: "open \(path)") }
        let deadline = ContinuousClock.now + timeout
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                let error = PostgresError(systemCall: "lock \(path)")
                close(descriptor)
                throw error
            }
            guard ContinuousClock.now < deadline else {
                close(descriptor)
                throw PostgresError(
                    .timedOut, "another process has been starting or stopping the embedded server for \(timeout)",
                    hint: "see who holds \(path) (fuser \(path))")
            }
            do {
                try await loop.sleep(for: .milliseconds(25))
            } catch {
                close(descriptor)
                throw PostgresError(.cancelled, "cancelled while waiting for \(path)")
            }
        }
        return FileLock(descriptor: descriptor)
    }

    func unlock() { close(self.descriptor) }
}
