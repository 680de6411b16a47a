import JobQueue
import MemoryQueue
import Synchronization
import Testing

@testable import Benchmarks

/// What the queue's benchmarks do besides reading a clock.
@Suite(.timeLimit(.minutes(2))) struct QueueBenchmarkTests {
    private static func queue() -> InMemoryJobQueue { InMemoryJobQueue(jitter: { 0 }) }

    // MARK: Load

    @Test func aLoadHasAsManyProjectsJobsAndShardsAsWereAskedFor() async throws {
        let queue = Self.queue()
        _ = try await QueueLoad(shards: 120, jobs: 12, projects: 3).fill(queue)
        let runs = try await queue.runs(limit: 100, project: nil)
        #expect(Set(runs.map(\.project)) == ["project 0", "project 1", "project 2"])
        #expect(runs.map(\.jobCount) == [4, 4, 4])
        var models: Set<String> = []
        for run in runs {
            for job in try await queue.jobs(of: run.id) {
                #expect(job.progress.shards.total == 10 && job.progress.samples == 10)
                models.insert(job.modelSHA256)
            }
        }
        #expect(models.count == 4)
        #expect(try await queue.openShardCount(run: nil) == 120)
    }

    /// Whatever is asked for, no run is empty.
    @Test func aLoadOfLittleHasAShardInEachProject() async throws {
        let queue = Self.queue()
        _ = try await QueueLoad(shards: 1, jobs: 1, projects: 3).fill(queue)
        #expect(try await queue.openShardCount(run: nil) == 3)
    }

    // MARK: Draining

    @Test(arguments: [(1, 1), (1, 7), (4, 3)])
    func claimersCommitEveryShardOnce(_ claimers: Int, _ batch: Int) async throws {
        let queue = Self.queue()
        _ = try await QueueLoad(shards: 40, jobs: 4, projects: 2).fill(queue)
        let outcome = try await QueueDrain(claimers: claimers, batch: batch, duration: nil).run(queue)
        #expect(outcome.shards == 40 && outcome.isDrained)
        // Each claimer's last claim found nothing.
        #expect(outcome.claims.count == outcome.commits.count + claimers)
        #expect(outcome.commits.count >= (40 + batch - 1) / batch)
        #expect(try await queue.openShardCount(run: nil) == 0)
        for run in try await queue.runs(limit: 9, project: nil) {
            for job in try await queue.jobs(of: run.id) {
                #expect(try await queue.results(of: job.id).count == job.progress.shards.total)
            }
        }
    }

    @Test func everyCombinationHasARowAndAFullQueue() async throws {
        let queue = Self.queue()
        let fillings = Mutex(0)
        let rows = try await QueueThroughput(
            load: QueueLoad(shards: 24, jobs: 4, projects: 2), claimers: [1, 3], batches: [1, 5], rounds: 2,
            duration: nil
        ).measure(queue) { fillings.withLock { $0 += 1 } }
        #expect(rows.map(\.claimers) == [1, 1, 3, 3] && rows.map(\.batch) == [1, 5, 1, 5])
        // Each of the eight measurements drains a queue of its own; the first one is filled before.
        #expect(fillings.withLock { $0 } == 8)
        #expect(rows.allSatisfy { $0.shards == 24 && $0.drainedPerSecond > 0 })
        // Of two rounds, and of one shard each.
        #expect(rows[0].claims == 2 * (24 + 1) && rows[2].claims == 2 * (24 + 3))
        #expect(Set(rows.map(\.enqueuedPerSecond)).count == 1)
        #expect(rows.allSatisfy { $0.claimMedian <= $0.claim99 && $0.commitMedian <= $0.commit99 })
    }

    // MARK: Order and figures

    @Test func waysAreMeasuredInTurns() async throws {
        var order: [String] = []
        let values = await inTurns(["a", "b", "c"], rounds: 2) { way, round in
            order.append("\(way)\(round)")
            return order.count
        }
        #expect(order == ["a0", "b0", "c0", "a1", "b1", "c1"])
        #expect(values == [[1, 4], [2, 5], [3, 6]])
    }

    @Test func quantilesAreValuesThatWereMeasured() {
        var sample = LatencySample()
        #expect(sample.quantile(0.5) == nil)
        sample.add(.milliseconds(500))
        #expect(sample.quantile(0.5) == 0.5 && sample.quantile(0.99) == 0.5 && sample.quantile(1) == 0.5)
        for number in [4, 1, 3, 2] { sample.add(.seconds(number)) }
        #expect(sample.count == 5)
        #expect(sample.quantile(0.5) == 2 && sample.quantile(0.8) == 3 && sample.quantile(0.81) == 4)
        var many = LatencySample()
        for number in (1...200).reversed() { many.add(.seconds(number)) }
        // Of an even number the lower one in the middle.
        #expect(many.quantile(0.5) == 100 && many.quantile(0.99) == 198)
        many.add(sample)
        #expect(many.count == 205 && many.quantile(0.001) == 0.5)
    }

    @Test func theMedianRateIsThatOfARound() {
        func outcome(_ shards: Int, _ seconds: Double) -> QueueDrain.Outcome {
            QueueDrain.Outcome(shards: shards, seconds: seconds)
        }
        #expect(QueueThroughput.median(of: [outcome(10, 1), outcome(900, 1), outcome(40, 2)]) == 20)
        #expect(QueueThroughput.median(of: [outcome(10, 1), outcome(30, 1)]) == 30)
        #expect(QueueThroughput.median(of: []) == 0)
    }

    @Test func bloatIsTheRatioOfAllTables() {
        var outcome = QueueDay.Outcome()
        outcome.committed = 7
        outcome.claims[1].add(.milliseconds(4))
        var report = QueueDay.Report(
            outcome, seconds: 1, tables: ["job": 100, "shard": 500], live: ["job": 100, "shard": 150])
        #expect(report.bytes == 600 && report.liveBytes == 250 && report.bloat == 2.4 && !report.isGood)
        #expect(report.tables.map(\.table) == ["shard", "job"] && report.tables.map(\.liveBytes) == [150, 100])
        #expect(report.committed == 7)
        #expect(report.claimMedian == [nil, 4, nil, nil] && report.claim99 == [nil, 4, nil, nil])
        report = QueueDay.Report(outcome, seconds: 1, tables: ["shard": 500], live: ["shard": 250])
        #expect(report.bloat == 2 && report.isGood)
        // A queue without a table, or with an empty one, is no division by zero.
        #expect(QueueDay.Report(outcome, seconds: 1, tables: [:], live: [:]).bloat == 0)
    }

    @Test func aMeasurementIsGoodBelowItsLimit() {
        var sample = LatencySample()
        for _ in 0..<99 { sample.add(.milliseconds(10)) }
        sample.add(.milliseconds(5000))
        let measurement = QueueScale.Measurement("claims alone", sample, limit: 50)
        #expect(measurement.count == 100 && measurement.median == 10 && measurement.high == 10 && measurement.isGood)
        sample.add(.milliseconds(50))
        #expect(!QueueScale.Measurement("claims alone", sample, limit: 50).isGood)
        #expect(QueueScale.Measurement("claims alone", LatencySample(), limit: 50).isGood)
    }
}
