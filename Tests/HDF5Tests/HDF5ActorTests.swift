import Glibc
import HDF5
import Testing

@Suite struct HDF5ActorTests {
    @HDF5Actor
    private static func thread() -> UInt { UInt(pthread_self()) }

    @Test func allWorkIsDoneOnOneThread() async {
        let threads = await withTaskGroup(of: UInt.self, returning: Set<UInt>.self) { group in
            for _ in 0..<100 {
                group.addTask { await Self.thread() }
            }
            return await group.reduce(into: []) { $0.insert($1) }
        }
        #expect(threads.count == 1)
    }
}
