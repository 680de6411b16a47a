public import UVEventLoop

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A temporary home folder for an embedded server of a test.
public struct TemporaryServerFolder: Sendable {
    public let path: String

    /// Makes the folder; the account that the server runs as may pass through it.
    public init() throws {
        let name = "assay-test-\(getpid())-\(String(UInt32.random(in: .min ... .max), radix: 16))"
        self.path = FileManager.default.temporaryDirectory.appending(path: name).path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: false)
        chmod(self.path, 0o711)
    }

    /// Has a helper process stop the server and remove the folder when this process has ended, however it ends.
    ///
    /// The helper waits for the end of a stream whose other end the kernel closes with this process.
    public func removeAtExit(on loop: EventLoop) async throws {
        let script = """
            cat > /dev/null
            pid=$(head -n 1 "$1/postgres/data/postmaster.pid" 2> /dev/null)
            if [ -n "$pid" ] && [ "$pid" -gt 1 ]; then
                kill -QUIT "$pid" 2> /dev/null
                tries=0
                while kill -0 "$pid" 2> /dev/null && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
            fi
            rm -rf "$1"
            """
        var ends: [CInt] = [-1, -1]
        // Unlike a pipe, it is closed to other children from the start.
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw CocoaError(.fileReadUnknown) }
        defer { close(ends[0]) }
        _ = try await loop.spawn(
            ProcessConfiguration(
                "/bin/sh", ["-c", script, "sh", self.path], standardInput: .descriptor(ends[0]), standardOutput: .null,
                standardError: .null, hasOwnGroup: true))
        // The writing end stays open as long as this process lives.
    }
}
