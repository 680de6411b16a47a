#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A server socket that accepts connections and never says a word.
final class SilentListener {
    let folder: String
    private let port: Int
    private let descriptor: CInt

    struct Failed: Error {}

    init(port: Int = 1) throws {
        self.port = port
        var template = Array("/tmp/assay-silent-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw Failed() }
        self.folder = String(cString: path)
        self.descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array((self.folder + "/.s.PGSQL.\(port)").utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0, listen(self.descriptor, 5) == 0 else { throw Failed() }
    }

    deinit {
        close(self.descriptor)
        unlink(self.folder + "/.s.PGSQL.\(port)")
        rmdir(self.folder)
    }
}
