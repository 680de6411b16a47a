internal import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Has a helper process clear a workbench away when this value is gone, or this process has ended however it ends.
///
/// The helper waits for the end of a stream whose other end the kernel closes with this process. It kills what works in
/// the folder (a stopped worker would stay for ever), stops the server and removes the folder.
final class LastWill: Sendable {
    private let descriptor: CInt

    init(for folder: String, on loop: EventLoop) async throws {
        let script = """
            cat > /dev/null
            for process in /proc/[0-9]*; do
                case "$(readlink "$process/cwd")" in "$1" | "$1/"*) kill -KILL "${process#/proc/}" ;; esac
            done 2> /dev/null
            pid=$(head -n 1 "$1/home/postgres/data/postmaster.pid" 2> /dev/null)
            if [ -n "$pid" ] && [ "$pid" -gt 1 ]; then
                kill -QUIT "$pid" 2> /dev/null
                tries=0
                while kill -0 "$pid" 2> /dev/null && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
            fi
            while read -r _ place _; do
                case "$place" in "$1/"*) umount -l "$place" ;; esac
            done < /proc/mounts
            rm -rf "$1"
            """
        var ends: [CInt] = [-1, -1]
        // Unlike a pipe, it is closed to other children from the start.
        let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw NoSocketPair(number: errno) }
        defer { close(ends[0]) }
        self.descriptor = ends[1]
        _ = try await loop.spawn(
            ProcessConfiguration(
                "/bin/sh", ["-c", script, "sh", folder], workingDirectory: "/", standardInput: .descriptor(ends[0]),
                standardOutput: .null, standardError: .null, hasOwnGroup: true))
    }

    deinit { close(self.descriptor) }
}

/// The system gave no pair of sockets.
private struct NoSocketPair: Error {
    var number: CInt
}
