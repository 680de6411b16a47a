import Testing
import UVEventLoop

@testable import Sandbox

@Suite(.needsBubblewrap) struct FindTests {
    @Test func tellsThePythonVersion() async throws {
        try await withSandbox { sandbox, _ in
            #expect(sandbox.pythonVersion.hasPrefix("3."))
            let parts = sandbox.pythonVersion.split(separator: ".").joined(separator: ", ")
            let verdict = try await sandbox.run("import sys\nassert sys.version_info[:3] == (\(parts))")
            #expect(verdict == .passed)
        }
    }

    @Test(arguments: [("/no/such/python", "there is no Python at /no/such/python"), ("/dev/null", "only a Python in")])
    func aPythonThatCannotBeUsed(path: String, message: String) async throws {
        let loop = try EventLoop(name: "test")
        let error = await #expect(throws: SandboxError.self) { try await Sandbox.find(python: path, on: loop) }
        await loop.shutDown()
        #expect(error?.code == .unavailable)
        #expect(error?.description.contains(message) == true)
    }

    @Test func programsThatAreMissing() {
        let error = #expect(throws: SandboxError.self) { try SandboxTools.find(python: nil, in: ["/nowhere"]) }
        #expect(error?.description.hasSuffix("(Debian, Ubuntu: apt install bubblewrap)") == true)
    }

    @Test func aMachineWhereItDoesNotWork() async throws {
        let loop = try EventLoop(name: "test")
        // Any program in /usr/bin that is no Python: the sandbox is tried, and says so.
        let error = await #expect(throws: SandboxError.self) {
            try await Sandbox.find(python: "/usr/bin/false", on: loop)
        }
        await loop.shutDown()
        #expect(error?.code == .unavailable)
        #expect(
            error?.description.contains("bwrap does not run Python in a sandbox on this machine (exit status 1)")
                == true)
    }

    @Test(arguments: [
        ("         0          0 4294967295\n", true), ("0 1000 1\n1 100000 65536\n", true), ("0 1000 1\n", false),
        ("0 0 65534", false), ("0 0 65535", true), ("65534 5 1", true), ("65535 5 1", false), ("", false), ("x", false),
    ])
    func nobodyIsOnlyUsedWhereThereIsOne(map: String, isMapped: Bool) {
        #expect(Jail.maps(nobodyIn: map) == isMapped)
    }
}
