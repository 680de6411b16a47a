import JobQueue
import Testing

@Suite struct WorkStateTests {
    private func counts(_ shards: [ShardState: Int]) -> ShardCounts {
        var counts = ShardCounts()
        for (state, number) in shards { counts[state] = number }
        return counts
    }

    @Test(
        arguments: [
            ([.ready: 3], .queued), ([.ready: 2, .running: 1], .running), ([.ready: 2, .done: 1], .running),
            ([.blocked: 1], .blocked), ([.blocked: 1, .done: 3], .blocked), ([.blocked: 1, .ready: 1], .running),
            ([.running: 1, .failed: 1], .running), ([.done: 3], .done),
            ([.done: 2, .failed: 1], .failed), ([.done: 2, .cancelled: 1], .cancelled),
            ([.failed: 1, .cancelled: 1], .failed), ([.done: 2, .held: 1, .failed: 1], .held),
        ] as [([ShardState: Int], WorkState)])
    func followsFromTheShards(shards: [ShardState: Int], expected: WorkState) {
        #expect(WorkState(counts(shards)) == expected)
        #expect(expected.isSettled == (counts(shards).open == 0))
    }

    @Test func countsAddUp() {
        var left = ShardCounts()
        var right = ShardCounts()
        for (number, state) in ShardState.allCases.enumerated() {
            left[state] = number + 1
            right[state] = 10
        }
        #expect((left + right).total == 28 + 70)
        #expect(left.open == left.blocked + left.ready + left.running)
    }
}
