import Testing
import WorkerSimulation

/// Random histories keep the contract; `infra/histories` runs as many as one likes, and finds faults that are planted.
@Suite struct HistoryTests {
    @Test(arguments: Conditions.Kind.allCases)
    func theContractHolds(_ kind: Conditions.Kind) throws {
        for seed in 0..<(kind == .rivals ? 2 : 150) {
            var history = History(seed: UInt64(seed), kind: kind)
            _ = try history.run()
        }
    }

    /// What random histories have found, mended since.
    @Test(
        arguments: [
            // A worker whose rest had ended while older claims were still open asked to be woken at once, again and again.
            1_019_514
        ] as [UInt64])
    func whatWasFoundStaysMended(_ seed: UInt64) throws {
        var history = History(seed: seed)
        _ = try history.run()
    }

    @Test func aSeedDecidesAHistory() throws {
        for seed: UInt64 in [3, 4, 5] {
            var (one, other) = (History(seed: seed), History(seed: seed))
            #expect(try one.run() == other.run())
        }
    }
}
