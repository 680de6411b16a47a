import Testing
import UVEventLoop

@testable import Sandbox

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What the jail holds back by itself, as if a program had got rid of the system call filter.
@Suite(.needsBubblewrap) struct JailTests {
    @Test func listenersOfTheHostAreOutOfReach() async throws {
        let listener = try Listener()
        defer { listener.end() }
        // The same lines reach them from outside.
        let script = """
            import socket, sys
            def attempt(family, address):
                try:
                    with socket.socket(family) as end: end.settimeout(5); end.connect(address)
                    return 'connected'
                except OSError as error: return type(error).__name__
            print(attempt(socket.AF_INET, ('127.0.0.1', int(sys.argv[1]))))
            print(attempt(socket.AF_UNIX, '\\0' + sys.argv[2]))
            print(attempt(socket.AF_INET, ('1.1.1.1', 443)))
            print([name for _, name in socket.if_nameindex()])
            """
        let arguments = ["\(listener.port)", listener.name]
        let result = try await jailed(script, arguments)
        #expect(result.standardOutput.text == "ConnectionRefusedError\nConnectionRefusedError\nOSError\n['lo']\n")
        #expect(result.standardError.text == "")
        let loop = try EventLoop(name: "test")
        let outside = try await loop.run(
            ProcessConfiguration("python3", ["-c", script] + arguments, standardOutput: .capture(limit: 1000)))
        await loop.shutDown()
        #expect(outside.standardOutput.text.hasPrefix("connected\nconnected\n"))
    }

    @Test func rightsCannotBeRegained() async throws {
        let script = """
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            new_user, new_net, new_mounts = 0x10000000, 0x40000000, 0x00020000
            for flags in new_user, new_user | new_net, new_net, new_mounts:
                assert libc.unshare(flags) == -1, flags
            assert libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == -1
            # PR_GET_NO_NEW_PRIVS, PR_CAPBSET_READ
            assert libc.prctl(39, 0, 0, 0, 0) == 1
            assert all(libc.prctl(23, capability, 0, 0, 0) == 0 for capability in range(38))
            print('held')
            """
        let result = try await jailed(script)
        #expect(result.standardOutput.text == "held\n", "\(result.standardError.text)")
    }

    @Test func thereIsNoTerminal() async throws {
        let result = try await jailed(
            "import os\nfor path in '/dev/tty', '/dev/ptmx', '/dev/console':\n    assert not os.path.exists(path)\nprint('none')"
        )
        #expect(result.standardOutput.text == "none\n")
    }
}

/// A TCP port and an abstract socket of this machine that take connections.
private struct Listener {
    let port: UInt16
    let name = "assay-test-\(UInt64.random(in: .min ... .max))"
    private let descriptors: [CInt]

    init() throws {
        let tcp = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(tcp, $0, length) == 0 && listen(tcp, 5) == 0 && getsockname(tcp, $0, &length) == 0
            }
        }
        try #require(isBound)
        self.port = UInt16(bigEndian: address.sin_port)
        let local = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var path = sockaddr_un()
        path.sun_family = sa_family_t(AF_UNIX)
        let name = Array(self.name.utf8)
        withUnsafeMutableBytes(of: &path.sun_path) { $0[1...].copyBytes(from: name) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        let isListening = withUnsafePointer(to: &path) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(local, $0, size) == 0 && listen(local, 5) == 0 }
        }
        try #require(isListening)
        self.descriptors = [tcp, local]
    }

    func end() {
        for descriptor in self.descriptors { close(descriptor) }
    }
}
