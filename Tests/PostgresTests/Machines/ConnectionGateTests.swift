import Testing

@testable import Postgres

private final class Key {}

@Suite struct ConnectionGateTests {
    private let key = Key()

    private func token(_ number: Int) -> TransactionToken { TransactionToken(self.key, number: number) }

    @Test func oneAtATimeInOrder() {
        var gate = ConnectionGate()
        #expect(gate.request([]) == .admitted)
        #expect(gate.request([]) == .queued(1))
        #expect(gate.request([]) == .queued(2))
        #expect(gate.release() == 1)
        #expect(gate.release() == 2)
        #expect(gate.release() == nil)
        #expect(gate.request([]) == .admitted)
    }

    @Test func aTransactionHoldsOthersBack() {
        var gate = ConnectionGate()
        #expect(gate.request([]) == .admitted)
        gate.beginTransaction(self.token(1))
        #expect(gate.request([]) == .queued(1))
        #expect(gate.request([self.token(1)]) == .queued(2))
        // Its own statement overtakes the one from outside.
        #expect(gate.release() == 2)
        #expect(gate.release() == nil)
        #expect(gate.request([self.token(2)]) == .queued(3))
        #expect(gate.request([self.token(1), self.token(2)]) == .admitted)
        gate.endTransaction()
        #expect(gate.release() == 1)
        #expect(gate.release() == 3)
    }

    @Test func theWithdrawnAreSkipped() {
        var gate = ConnectionGate()
        #expect(gate.request([]) == .admitted)
        #expect(gate.request([]) == .queued(1))
        #expect(gate.request([]) == .queued(2))
        #expect(gate.withdraw(1) == true)
        #expect(gate.withdraw(1) == false)
        #expect(gate.release() == 2)
        #expect(gate.withdraw(2) == false)
    }
}
