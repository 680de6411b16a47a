import Testing
import UVEventLoop

@testable import Sandbox

@Suite(.needsBubblewrap) struct LimitTests {
    private static let short = SandboxLimits(processorSeconds: 1, time: .seconds(3))

    @Test(arguments: [
        "while True: pass",
        // Neither signals nor exceptions can be used to live on.
        """
        import signal
        for number in set(signal.valid_signals()) - {9, 19}: signal.signal(number, signal.SIG_IGN)
        while True:
            try:
                while True: pass
            except BaseException: pass
        """,
        "import time\ntime.sleep(3600)", "import signal\nsignal.pause()",
        "import os\nos.kill(os.getpid(), 19)", "import os\nos.fork()\nwhile True: pass",
        "while True: print('x' * 10000)", "import os\nwhile True: os.write(1, b'x' * 65536); os.write(2, b'x' * 65536)",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
        // Process 1 takes no signals from inside, and does not answer to a program that fills the report.
        "import os\nfor n in 2, 9, 15, 19: os.kill(1, n)\nwhile True: pass",
        "import os\nwhile True:\n    for d in range(3, 20):\n        try: os.write(d, b'x' * 65536)\n        except OSError: pass",
    ])
    func endlessProgramsTimeOut(program: String) async throws {
        try await withSandbox(Self.short) { sandbox, _ in
            let start = ContinuousClock.now
            let verdict = try await sandbox.run(program)
            #expect(verdict == .timedOut)
            #expect(ContinuousClock.now - start < .seconds(3) + SandboxRun.defaultPatience)
        }
    }

    @Test func anAllocationBeyondTheLimitFails() async throws {
        #expect(try await verdict(on: "x = bytearray(10 << 30)") == .outOfMemory)
        #expect(try await verdict(on: "x = [0]\nwhile True: x += x") == .outOfMemory)
        #expect(
            try await verdict(on: "try: x = bytearray(10 << 30)\nexcept MemoryError: x = None\nassert x is None")
                == .passed)
    }

    @Test func forkBombsDieOut() async throws {
        let marker = Marker()
        let bomb = marker.daemon + "while True: os.fork()"
        guard case .failed(let reason) = try await verdict(on: bomb, Self.short) else {
            Issue.record("a fork bomb went off")
            return
        }
        #expect(reason.contains("BlockingIOError"))
        #expect(marker.processes.isEmpty)
        #expect(
            try await verdict(
                on: "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", Self.short) == .timedOut)
    }

    /// Each may have its number, however many processes the user has and however many sandboxes there are.
    @Test func processesAreCountedForEachProgram() async throws {
        let program = """
            import os, time
            count = 1
            try:
                while count < 100:
                    if os.fork() == 0:
                        time.sleep(3600)
                    count += 1
            except BlockingIOError: pass
            assert count == 5, count
            """
        var limits = SandboxLimits()
        limits.processes = 5
        try await withSandbox(limits) { sandbox, _ in
            let programs = Array(repeating: program, count: 12)
            let verdicts = try await sandbox.run(programs: programs, atMost: 6)
            #expect(verdicts == programs.map { _ in .passed })
        }
    }

    @Test func threadsAreCountedAsWell() async throws {
        let program = """
            import threading, time
            for _ in range(100): threading.Thread(target=time.sleep, args=(3600,)).start()
            """
        guard case .failed(let reason) = try await verdict(on: program) else {
            Issue.record("100 threads could be started")
            return
        }
        #expect(reason.contains("can't start new thread"))
    }

    @Test func filesAreLimited() async throws {
        let program = """
            import errno
            def fill(name):
                try:
                    with open(name, 'wb', buffering=0) as file:
                        for _ in range(64): file.write(bytes(1 << 20))
                except OSError as error: return error.errno
            assert fill('a') == errno.EFBIG
            assert [fill(n) for n in 'bcd'] == [errno.EFBIG] * 3
            assert fill('e') == errno.ENOSPC
            """
        try await expectPass(program)
        #expect(
            try await verdict(on: "import os\nwhile True: os.open('/dev/null', 0)").description.contains(
                "Too many open files"))
    }

    @Test(arguments: [
        SandboxLimits(processorSeconds: 0), SandboxLimits(time: .zero), SandboxLimits(memoryBytes: 1),
        SandboxLimits(processes: 0), SandboxLimits(reasonBytes: -1), SandboxLimits(openFiles: 3),
    ])
    func impossibleLimitsAreErrors(limits: SandboxLimits) async throws {
        let error = await #expect(throws: SandboxError.self) { try await withSandbox(limits) { _, _ in } }
        #expect(error?.code == .limits)
    }
}
