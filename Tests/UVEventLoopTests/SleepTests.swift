import Testing
import UVEventLoop

@Suite struct SleepTests {
    @Test func sleepsAtLeastAsLongAsAsked() async throws {
        let loop = try EventLoop()
        let start = ContinuousClock.now
        try await loop.sleep(for: .milliseconds(20))
        #expect(ContinuousClock.now - start >= .milliseconds(20))
        await loop.shutDown()
    }
}
