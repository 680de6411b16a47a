import Testing
import UVEventLoop

@testable import Sandbox

@Suite(.needsBubblewrap) struct ManyProgramsTests {
    @Test func verdictsComeInOrder() async throws {
        let programs = (0..<200).map { "assert \($0) % 3, \($0)" }
        try await withSandbox { sandbox, _ in
            let start = ContinuousClock.now
            let verdicts = try await sandbox.run(programs: programs, atMost: 4)
            print("200 programs, 4 at a time: \(ContinuousClock.now - start)")
            let expected = (0..<200).map { number -> Verdict in
                number % 3 == 0 ? .failed("line 1, in <module>\nAssertionError: \(number)") : .passed
            }
            #expect(verdicts == expected)
        }
    }

    @Test func noProgramsAndOddWidths() async throws {
        try await withSandbox { sandbox, _ in
            let none = try await sandbox.run(programs: [], atMost: 4)
            #expect(none.isEmpty)
            for width in [-1, 0, 99] {
                let verdicts = try await sandbox.run(programs: ["", "1/0"], atMost: width)
                #expect(verdicts.map(\.isPass) == [true, false])
            }
        }
    }

    @Test func cancellationEndsThemAll() async throws {
        let marker = Marker()
        try await withSandbox(SandboxLimits(time: .seconds(3600))) { sandbox, loop in
            let programs = Array(repeating: marker.daemon + "import time\ntime.sleep(3600)", count: 20)
            let task = Task { try await sandbox.run(programs: programs, atMost: 3) }
            try await marker.wait(until: { $0.count >= 3 }, on: loop)
            task.cancel()
            let error = await #expect(throws: SandboxError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(marker.processes.isEmpty)
        }
    }
}
