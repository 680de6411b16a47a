import Testing
import UVEventLoop

@testable import Sandbox

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite(.needsBubblewrap) struct IsolationTests {
    @Test func nothingOfTheHostIsThereButPython() async throws {
        let program = """
            import os, sys
            python = os.path.basename(sys.executable)
            def names(path): return set(os.listdir(path))
            assert names('/') <= {'dev', 'etc', 'lib', 'lib64', 'tmp', 'usr'}, names('/')
            assert names('/dev') == {'null', 'urandom'}, names('/dev')
            assert names('/etc') <= {'ld.so.cache'}, names('/etc')
            assert names('/usr') <= {'bin', 'lib', 'lib64', 'local'}, names('/usr')
            if 'local' not in sys.executable: assert names('/usr/bin') == {python}, names('/usr/bin')
            assert names('/tmp') == set() and os.getcwd() == '/tmp', names('/tmp')
            """
        try await expectPass(program)
    }

    @Test func aSecretFileCannotBeRead() async throws {
        var template = Array("/tmp/assay-secret-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        fchmod(descriptor, 0o644)
        write(descriptor, "secret", 6)
        close(descriptor)
        #expect(contents(of: path) == "secret")
        for hidden in [
            path, "/etc/passwd", "/etc/shadow", "/proc/1/environ", "/proc/self/maps", "/root", "/home", "/sys",
        ] {
            let text = try await verdict(on: "import os\nos.stat('\(hidden)')").description
            #expect(text.contains("FileNotFoundError"), "\(hidden): \(text)")
        }
    }

    @Test(arguments: ["/x", "/usr/lib/x", "/usr/bin/x", "/dev/x", "/etc/x", "/lib/x", "/usr/lib/locale/x"])
    func nothingCanBeWrittenElsewhere(path: String) async throws {
        let program = """
            import errno, os
            try: open('\(path)', 'w')
            except OSError as error: assert error.errno == errno.EROFS, error
            else: assert False
            """
        try await expectPass(program)
    }

    @Test func filesOfPythonCannotBeChanged() async throws {
        let program = """
            import os, sys
            failures = 0
            for change in (lambda p: open(p, 'a'), os.unlink, lambda p: os.chmod(p, 0o777), lambda p: os.rename(p, p + 'x')):
                for path in os.__file__, sys.executable:
                    try: change(path)
                    except OSError: failures += 1
            assert failures == 8, failures
            """
        try await expectPass(program)
    }

    @Test func itsOwnFolderIsItsOwn() async throws {
        let program = """
            import os, tempfile
            assert os.listdir() == []
            open('a', 'w').write('text')
            assert open('/tmp/a').read() == 'text'
            assert os.path.expanduser('~') == tempfile.gettempdir() == '/tmp'
            """
        try await withSandbox { sandbox, _ in
            let verdicts = try await sandbox.run(programs: [program, program], atMost: 1)
            #expect(verdicts == [.passed, .passed])
        }
        #expect(access("/tmp/a", F_OK) != 0)
    }

    /// HDF5 and llama.cpp open files without close-on-exec.
    @Test func openFilesOfTheHostAreNotInherited() async throws {
        let leaks = (0..<5).map { _ in open("/etc/passwd", O_RDONLY) }
        defer { for leak in leaks { close(leak) } }
        let program = """
            import os, stat
            for number in range(1024):
                try: mode = os.fstat(number).st_mode
                except OSError: continue
                # Nothing but /dev/null and the pipe for the report.
                assert number < 3 and stat.S_ISCHR(mode) or stat.S_ISFIFO(mode), number
            """
        try await expectPass(program)
    }

    @Test func theEnvironmentHoldsNoSecrets() async throws {
        setenv("ASSAY_TEST_SECRET", "secret", 1)
        let program = """
            import os
            known = {
                'HOME': '/tmp', 'LANG': 'C.UTF-8', 'PATH': '/usr/bin', 'PWD': '/tmp', 'PYTHONDONTWRITEBYTECODE': '1',
                'PYTHONHASHSEED': '0', 'TMPDIR': '/tmp', 'TZ': 'UTC'}
            assert dict(os.environ) == known, os.environ
            assert os.uname().nodename == 'sandbox'
            """
        try await expectPass(program)
    }

    @Test func theProgramIsNobodyAndAlone() async throws {
        let program = """
            import os
            assert os.getresuid() == os.getresgid() == (65534, 65534, 65534)
            assert os.getgroups() in ([], [65534]), os.getgroups()
            assert os.getppid() == 1 and os.getpid() < 10
            for change in (lambda: os.setuid(0), lambda: os.setgroups([0]), lambda: os.nice(-5), lambda: os.chroot('/tmp')):
                try: change()
                except OSError: pass
                else: assert False
            try: os.kill(\(getpid()), 0)
            except ProcessLookupError: pass
            else: assert False
            """
        try await expectPass(program)
    }

    /// Not even those that no network namespace holds back, as AF_VSOCK (40).
    @Test(arguments: [1, 2, 10, 16, 17, 38, 40])
    func thereAreNoSockets(family: Int) async throws {
        let text = try await verdict(on: "import socket\nsocket.socket(\(family), 1)").description
        #expect(text.contains("PermissionError"), "\(text)")
    }

    @Test func theHostIsOutOfReach() async throws {
        let program = "import socket\nsocket.create_connection(('1.1.1.1', 443))"
        #expect(try await verdict(on: program).description.contains("PermissionError"))
    }

    @Test func systemCallsAreRefused() async throws {
        let program = """
            import ctypes, errno, os
            calls = {'x86_64': [101, 272, 319, 321, 425, 165, 29, 41 + 0x40000000], 'aarch64': [117, 97, 279, 280, 425, 40, 194]}
            libc = ctypes.CDLL(None, use_errno=True)
            for number in calls[os.uname().machine]:
                assert libc.syscall(number, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == errno.EPERM, number
            """
        try await expectPass(program)
    }
}
