import Testing
import UVEventLoop

@testable import Sandbox

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

@Suite(.needsBubblewrap) struct LifetimeTests {
    @Test func daemonsAreGoneWithTheVerdict() async throws {
        let marker = Marker()
        try await withSandbox { sandbox, _ in
            for _ in 0..<5 {
                let verdict = try await sandbox.run(marker.daemon)
                #expect(verdict == .passed)
                #expect(marker.processes.isEmpty)
            }
        }
    }

    @Test func daemonsAreGoneAfterATimeout() async throws {
        let marker = Marker()
        try await withSandbox(SandboxLimits(processorSeconds: 1)) { sandbox, _ in
            let verdict = try await sandbox.run(marker.daemon + "while True: pass")
            #expect(verdict == .timedOut)
            #expect(marker.processes.isEmpty)
        }
    }

    @Test func cancellationKillsEverything() async throws {
        let marker = Marker()
        try await withSandbox(SandboxLimits(time: .seconds(3600))) { sandbox, loop in
            let task = Task { try await sandbox.run(marker.daemon + "import time\ntime.sleep(3600)") }
            try await marker.wait(until: { !$0.isEmpty }, on: loop)
            for process in marker.processes {
                // The first to go when memory runs out on the whole machine.
                #expect(contents(of: "/proc/\(process)/oom_score_adj") == "1000\n")
            }
            task.cancel()
            let error = await #expect(throws: SandboxError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(marker.processes.isEmpty)
        }
    }

    @Test func cancelledBeforeItsStart() async throws {
        try await withSandbox { sandbox, _ in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await sandbox.run("")
            }
            let error = await #expect(throws: SandboxError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func aDriverThatDoesNotAnswerIsKilled() async throws {
        let marker = Marker()
        try await withSandbox { sandbox, loop in
            let driver = marker.daemon + "import time\nwhile True: time.sleep(60)"
            let run = SandboxRun(jail: sandbox.jail, limits: sandbox.limits, loop: loop, driver: driver)
            let task = Task { _ = try await run.result(of: "") }
            try await marker.wait(
                until: { $0.contains { contents(of: "/proc/\($0)/cmdline").hasPrefix("/usr") } }, on: loop)
            task.cancel()
            await #expect(throws: SandboxError.self) { try await task.value }
            try await marker.wait(until: \.isEmpty, on: loop)
        }
    }

    @Test func theEndOfTheLoopEndsThePrograms() async throws {
        let marker = Marker()
        let loop = try EventLoop(name: "test")
        let sandbox = try await Sandbox.find(on: loop)
        let task = Task { try await sandbox.run(marker.daemon + "import time\ntime.sleep(3600)") }
        let watch = try EventLoop(name: "watch")
        try await marker.wait(until: { !$0.isEmpty }, on: watch)
        let child = try #require(marker.processes.compactMap(ownChild).first)
        await loop.shutDown()
        let error = await #expect(throws: SandboxError.self) { try await task.value }
        #expect(error?.code == .failed)
        try await marker.wait(until: \.isEmpty, on: watch)
        await watch.shutDown()
        // Nobody else takes notice of its end any more, and what waits for any child would find it for ever.
        #expect(waitpid(child, nil, 0) == child)
    }

    @Test func aDriverThatFailsIsNoVerdict() async throws {
        try await withSandbox { sandbox, loop in
            let run = SandboxRun(jail: sandbox.jail, limits: sandbox.limits, loop: loop, driver: "1/0")
            let result = try await run.result(of: "x = 1")
            let error = #expect(throws: SandboxError.self) {
                try DriverReport.verdict(of: result.result, hasExpired: false)
            }
            #expect(error?.code == .failed)
            #expect(error?.message.contains("ZeroDivisionError") == true)
        }
    }

    /// The driver keeps the time; this is for one that a program has got the better of.
    @Test func aDriverThatDoesNotKeepTheTimeIsEnded() async throws {
        try await withSandbox(SandboxLimits(time: .milliseconds(100))) { sandbox, loop in
            let wait = "import sys\nsys.stdin.buffer.read()"
            let started = SandboxRun(
                jail: sandbox.jail, limits: sandbox.limits, loop: loop,
                driver: "print('started 3.11.2', flush=True)\n" + wait, patience: .seconds(3))
            let (result, hasExpired) = try await started.result(of: "")
            #expect(hasExpired)
            let verdict = try DriverReport.verdict(of: result, hasExpired: hasExpired)
            #expect(verdict == .timedOut)

            let stuck = SandboxRun(
                jail: sandbox.jail, limits: sandbox.limits, loop: loop, driver: wait, patience: .milliseconds(200))
            let (nothing, hasExpiredAgain) = try await stuck.result(of: "")
            let error = #expect(throws: SandboxError.self) {
                try DriverReport.verdict(of: nothing, hasExpired: hasExpiredAgain)
            }
            #expect(error?.code == .failed)
        }
    }
}
