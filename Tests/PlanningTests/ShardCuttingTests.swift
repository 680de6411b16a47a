import JobQueue
import Planning
import Testing

@Suite struct ShardCuttingTests {
    @Test(arguments: [(0, 10), (1, 10), (10, 10), (11, 10), (100, 7), (5, 1)])
    func shardsCoverEveryRowOnceInOrder(_ samples: Int, _ size: Int) {
        let shards = Planner.shards(of: samples, size: size)
        #expect(shards.flatMap { Array($0.rowStart..<($0.rowStart + $0.rowCount)) } == Array(0..<samples))
        #expect(shards.allSatisfy { (1...size).contains($0.rowCount) })
        #expect(shards.dropLast().allSatisfy { $0.rowCount == size })
    }
}
