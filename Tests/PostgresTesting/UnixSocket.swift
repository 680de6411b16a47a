#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Sockets in the file system, as PostgreSQL's clients look for them.
enum UnixSocket {
    struct Failed: Error {
        var call: String
        var systemError = errno
    }

    /// A private folder with a short path.
    static func makeFolder() throws -> String {
        var template = Array("/tmp/assay-sock-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw Failed(call: "mkdtemp") }
        return String(cString: path)
    }

    static func listening(at path: String) throws -> CInt {
        try self.make("bind \(path)", path) { descriptor, address, length in
            bind(descriptor, address, length) == 0 && listen(descriptor, 64) == 0
        }
    }

    static func connected(to path: String) throws -> CInt {
        try self.make("connect to \(path)", path) { connect($0, $1, $2) == 0 }
    }

    private static func make(
        _ name: String, _ path: String, _ use: (CInt, UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) throws -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failed(call: "socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let succeeded = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard succeeded else {
            let failure = Failed(call: name)
            close(descriptor)
            throw failure
        }
        return descriptor
    }
}
