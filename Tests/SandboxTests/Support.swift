import Testing
import UVEventLoop

@testable import Sandbox

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Everything else that can be missing is a failure.
let bwrapIsInstalled = SandboxTools.program("bwrap") != nil

extension Trait where Self == ConditionTrait {
    static var needsBubblewrap: Self {
        .enabled(if: bwrapIsInstalled, "bubblewrap is not installed (Debian, Ubuntu: apt install bubblewrap)")
    }
}

/// Runs `body` with a loop and a sandbox of its own.
func withSandbox<Value>(
    _ limits: SandboxLimits = SandboxLimits(), _ body: (Sandbox, EventLoop) async throws -> Value
) async throws -> Value {
    let loop = try EventLoop(name: "test")
    do {
        let value = try await body(Sandbox.find(limits: limits, on: loop), loop)
        await loop.shutDown()
        return value
    } catch {
        await loop.shutDown()
        throw error
    }
}

func verdict(on program: String, _ limits: SandboxLimits = SandboxLimits()) async throws -> Verdict {
    try await withSandbox(limits) { sandbox, _ in try await sandbox.run(program) }
}

func expectPass(_ program: String, at location: SourceLocation = #_sourceLocation) async throws {
    let verdict = try await verdict(on: program)
    #expect(verdict == .passed, sourceLocation: location)
}

/// Runs `script` as process 1 of the jail, without the driver and the filter that it sets.
func jailed(_ script: String, _ arguments: [String] = []) async throws -> ProcessResult {
    try await withSandbox { sandbox, loop in
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(input) }
        return try await loop.run(
            sandbox.jail.configuration(
                running: script, arguments, folderBytes: 1 << 20, outputLimit: 65536, input: input))
    }
}

/// Tells a test's processes from all others: programs hand it to what they start as an argument.
struct Marker {
    let text = "marker-\(UInt64.random(in: .min ... .max))"

    /// The machine's processes that have it in their command line.
    var processes: [CInt] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [CInt] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let id = CInt(name), contents(of: "/proc/\(name)/cmdline").contains(self.text) { found.append(id) }
        }
        return found
    }

    /// Waits for processes with it, or for their end.
    func wait(until condition: ([CInt]) -> Bool, on loop: EventLoop) async throws {
        for _ in 0..<3000 {
            if condition(self.processes) { return }
            try await loop.sleep(for: .milliseconds(10))
        }
        Issue.record("the processes with \(self.text) are still \(self.processes)")
    }

    /// A program's lines that start a daemon (two forks, a session of its own, no open files) and wait until it runs.
    var daemon: String {
        """
        import os, sys
        ready, signal = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for descriptor in 0, 1, 2: os.close(descriptor)
                nap = "import time\\nwhile True: time.sleep(60)"
                os.execv(sys.executable, [sys.executable, "-S", "-c", nap, "\(self.text)"])
            os._exit(0)
        os.close(signal)
        os.read(ready, 1)

        """
    }
}

func contents(of path: String) -> String {
    guard let file = fopen(path, "re") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
}

/// The child of this process that a process descends from.
func ownChild(of process: CInt) -> CInt? {
    var process = process
    while process > 1 {
        let parent = contents(of: "/proc/\(process)/status").split(separator: "\n")
            .first { $0.hasPrefix("PPid:") }
            .flatMap { CInt($0.dropFirst(5).filter(\.isNumber)) }
        guard let parent else { return nil }
        if parent == getpid() { return process }
        process = parent
    }
    return nil
}
