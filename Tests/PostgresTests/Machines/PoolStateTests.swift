import Testing

@testable import Postgres

@Suite struct PoolStateTests {
    @Test func opensLazilyAndReusesTheLastOne() {
        var state = PoolState(size: 2)
        #expect(state.request() == .lease(.open(0)))
        #expect(state.request() == .lease(.open(1)))
        #expect(state.request() == .wait(1))
        #expect(state.giveBack(0) == .give(.use(0), to: 1))
        #expect(state.giveBack(1) == .none)
        #expect(state.giveBack(0) == .none)
        #expect(state.request() == .lease(.use(0)))
    }

    @Test func waitersAreServedInOrder() {
        var state = PoolState(size: 1)
        #expect(state.request() == .lease(.open(0)))
        #expect(state.request() == .wait(1))
        #expect(state.request() == .wait(2))
        #expect(state.request() == .wait(3))
        #expect(state.withdraw(2) == true)
        #expect(state.discard(0) == .give(.open(0), to: 1))
        #expect(state.withdraw(1) == false)
        #expect(state.giveBack(0) == .give(.use(0), to: 3))
    }

    @Test func shutDownTurnsEveryoneAway() {
        var state = PoolState(size: 2)
        #expect(state.request() == .lease(.open(0)))
        #expect(state.request() == .lease(.open(1)))
        #expect(state.giveBack(1) == .none)
        let (idle, waiters) = state.shutDown()
        #expect(idle == [1])
        #expect(waiters.isEmpty)
        #expect(state.request() == .refused)
        #expect(state.discard(0) == .none)
        #expect(state.leasedCount == 0)
    }

    @Test func neverLendsTwiceNorTooMany() {
        for seed in 0..<200 {
            var generator = Seeded(state: UInt64(seed))
            var state = PoolState(size: Int.random(in: 1...4, using: &generator))
            var lent: Set<Int> = []
            var waiting: [Int] = []
            func take(_ lease: PoolState.Lease) {
                let slot =
                    switch lease {
                    case .use(let slot), .open(let slot): slot
                    }
                #expect(lent.insert(slot).inserted)
            }
            for _ in 0..<200 {
                switch Int.random(in: 0..<4, using: &generator) {
                case 0, 1:
                    switch state.request() {
                    case .lease(let lease): take(lease)
                    case .wait(let ticket): waiting.append(ticket)
                    case .refused: Issue.record("refused")
                    }
                case 2:
                    guard let slot = lent.randomElement(using: &generator) else { continue }
                    lent.remove(slot)
                    let handover = Bool.random(using: &generator) ? state.giveBack(slot) : state.discard(slot)
                    guard case .give(let lease, let ticket) = handover else {
                        #expect(waiting.isEmpty)
                        continue
                    }
                    #expect(waiting.removeFirst() == ticket)
                    take(lease)
                default:
                    guard let ticket = waiting.randomElement(using: &generator) else { continue }
                    #expect(state.withdraw(ticket) == true)
                    waiting.removeAll { $0 == ticket }
                }
                #expect(lent.count <= state.size && lent.count == state.leasedCount)
                #expect(waiting.isEmpty || lent.count == state.size)
            }
        }
    }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
