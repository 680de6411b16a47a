import JobQueue
import Logging
import Synchronization
import Testing

@testable import Execution

@Suite struct NodeHealthTests {
    private let start = ContinuousClock.now

    private func job(_ number: Int64) -> JobID { JobID(number: number, run: .random(), ordinal: 0) }

    @Test func aJobIsLeftToOthersLongerEachTime() {
        var health = NodeHealth(endsWhenDrained: false)
        let job = self.job(1)
        for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600] {
            health.lacks(Self.fault("no model"), for: job, at: self.start)
            health.foundNothing()
            #expect(health.shunned(at: self.start + .seconds(pause - 1)) == [job])
            #expect(health.shunned(at: self.start + .seconds(pause)).isEmpty)
        }
        // Its model's file may be gone for everybody: no reason to send every worker home.
        #expect(health.reasonToLeave == nil)
    }

    private static func fault(_ message: String, _ lacking: String? = nil) -> ExecutionError {
        ExecutionError(.nodeFault, message, lacking: lacking)
    }

    @Test func threeThingsInARowAreTheNodesFault() {
        var health = NodeHealth(endsWhenDrained: false)
        health.lacks(Self.fault("no model", "/a.gguf"), for: self.job(1), at: self.start)
        health.lacks(Self.fault("no model", "/b.gguf"), for: self.job(2), at: self.start)
        #expect(health.reasonToLeave == nil)
        health.lacks(Self.fault("no data set", "f00d"), for: self.job(3), at: self.start)
        #expect(health.reasonToLeave == "3 jobs can't be worked on here; the last one: no data set")
    }

    /// Whoever has it does these jobs, and this worker the others.
    @Test(arguments: [false, true]) func oneThingThatManyJobsNeedIsNotTheNodesFault(endsWhenDrained: Bool) {
        var health = NodeHealth(endsWhenDrained: endsWhenDrained)
        let jobs = (1...9).map { self.job($0) }
        for job in jobs { health.lacks(Self.fault("no model", "/a.gguf"), for: job, at: self.start) }
        for job in jobs { health.lacks(Self.fault("no data set", "f00d"), for: job, at: self.start) }
        #expect(health.shunned(at: self.start) == jobs)
        health.foundNothing()
        #expect(health.reasonToLeave == nil)
    }

    /// A worker comes to the jobs behind them, and results of others do not send it back to the first.
    @Test func jobsThatLackTheSameThingAreLeftForLongerWithEachOfThem() {
        var health = NodeHealth(endsWhenDrained: false)
        let jobs = (1...300).map { self.job($0) }
        for (place, job) in jobs.enumerated() {
            health.lacks(Self.fault("no model", "/a.gguf"), for: job, at: self.start)
            if place % 7 == 0 { health.committed(self.job(1000)) }
        }
        #expect(health.reasonToLeave == nil)
        #expect(health.shunned(at: self.start + .seconds(512)) == Array(jobs[10...]))
        // It is back.
        health.committed(jobs[200])
        #expect(health.shunned(at: self.start).isEmpty)
        health.lacks(Self.fault("no model", "/a.gguf"), for: jobs[0], at: self.start)
        #expect(health.shunned(at: self.start + .seconds(1)).isEmpty)
    }

    @Test func aThousandJobsAreTooManyToGoAround() {
        var health = NodeHealth(endsWhenDrained: false)
        for number in 1..<1000 {
            health.lacks(Self.fault("no model", "/a.gguf"), for: self.job(Int64(number)), at: self.start)
        }
        #expect(health.reasonToLeave == nil)
        // What is to be tried again by then does not count.
        health.lacks(Self.fault("no model", "/a.gguf"), for: self.job(1000), at: self.start + .seconds(512))
        #expect(health.reasonToLeave == nil)
        for number in 1001...1010 {
            let later = self.start + .seconds(512)
            health.lacks(Self.fault("no model", "/a.gguf"), for: self.job(Int64(number)), at: later)
        }
        #expect(health.reasonToLeave == "1000 jobs can't be worked on here; the last one: no model")
    }

    /// It is not told of what a store that is away keeps from which job.
    @Test func aStoreThatIsAwayForThreeJobsIsTheNodesFault() {
        var health = NodeHealth(endsWhenDrained: false)
        for number in 1...3 {
            #expect(health.reasonToLeave == nil)
            health.lacks(Self.fault("the store is away"), for: self.job(Int64(number)), at: self.start)
        }
        #expect(health.reasonToLeave == "3 jobs can't be worked on here; the last one: the store is away")
    }

    @Test func aResultBetweenThemShowsThatItIsNot() {
        var health = NodeHealth(endsWhenDrained: false)
        for number in 1...9 {
            health.lacks(Self.fault("no model", "/\(number).gguf"), for: self.job(Int64(number)), at: self.start)
            if number % 2 == 0 { health.committed(self.job(100)) }
        }
        #expect(health.reasonToLeave == nil)
    }

    @Test func aWorkerThatWaitsForNothingElseLeavesWhenThereIsNothingElse() {
        var health = NodeHealth(endsWhenDrained: true)
        let job = self.job(1)
        for _ in 0..<2 { health.lacks(Self.fault("no model"), for: job, at: self.start) }
        health.foundNothing()
        #expect(health.reasonToLeave == nil)
        health.lacks(Self.fault("no model"), for: job, at: self.start)
        #expect(health.reasonToLeave == nil)
        health.foundNothing()
        #expect(health.reasonToLeave?.hasSuffix("can't be worked on here: no model") == true)
    }

    @Test func failuresInARowAreRestedForOnceEach() {
        var health = NodeHealth(endsWhenDrained: false)
        for _ in 0..<2 { health.failed() }
        let early = health.pause()
        #expect(early == nil && health.isFit)
        health.failed()
        let (first, second) = (health.pause(), health.pause())
        #expect(first != nil && second == nil && !health.isFit)
        health.committed(self.job(1))
        #expect(health.isFit)
    }
}

/// A worker whose node lacks what the work needs.
@Suite(.timeLimit(.minutes(5))) struct LackingNodeTests {
    private static let gone = ExecutionError(.nodeFault, "the model's file is not here", lacking: "/m.gguf")

    @Test func itBurnsNoAttemptAndSaysWhyItLeaves() async throws {
        let bench = try await Bench(shards: 2)
        let log = RecordingLog()
        let processor = SteppedProcessor(Steps()) { step, _ throws(ExecutionError) in
            if step == .prepare { throw Self.gone }
        }
        let summary = try await bench.worker(processor, leaseTTL: .seconds(600), logger: log.logger).run()
        #expect((summary.committed, summary.failed) == (0, 0))
        #expect(summary.reasonForLeaving?.contains("the model's file is not here") == true)
        #expect(log.messages(.error) == ["this node is of no use; leaving"])
        #expect(try await bench.shards().map(\.state) == [.ready, .ready])
        #expect(try await bench.shards().map(\.failures) == [0, 0])
        #expect(try await bench.queue.workers().map(\.state) == [.left])
        await bench.end()
    }

    /// A file that is gone does not keep a worker from the jobs that don't need it.
    @Test(arguments: [1, 5]) func itDoesTheOtherJobsMeanwhile(jobsWithoutFile: Int) async throws {
        let bench = try await Bench(shards: 2)
        for _ in 1..<jobsWithoutFile { _ = try await bench.queue.submit(Bench.submission(shards: 2)) }
        let other = Bench.submission(shards: 3)
        _ = try await bench.queue.submit(other)
        let order = Mutex<[RunID]>([])
        let holder = Mutex<Worker?>(nil)
        let processor = ScriptedProcessor { shard in
            order.withLock { $0.append(shard.run) }
            guard shard.run == other.id else { return .failure(Self.gone) }
            if shard.index == 2 { holder.withLock { $0 }?.drain() }
            return .success(shard.publication)
        }
        let worker = bench.worker(processor, leaseTTL: .seconds(600), prefetches: false, endsWhenDrained: false)
        holder.withLock { $0 = worker }
        let summary = try await worker.run()
        #expect((summary.committed, summary.failed, summary.reasonForLeaving) == (3, 0, nil))
        #expect(order.withLock { Set($0.prefix(jobsWithoutFile)).contains(other.id) } == false)
        await bench.end()
    }

    /// Trying again does not make it allowed.
    @Test func aStoreThatRefusesIsAReasonToLeaveAtOnce() async throws {
        let bench = try await Bench(shards: 2)
        let processor = SteppedProcessor(Steps()) { step, _ throws(ExecutionError) in
            if step == .publish { throw ExecutionError(.storeRefused, "permission denied") }
        }
        let summary = try await bench.worker(processor, leaseTTL: .seconds(600)).run()
        #expect((summary.committed, summary.failed, summary.reasonForLeaving) == (0, 0, "permission denied"))
        #expect(try await bench.shards().map(\.failures) == [0, 0])
        await bench.end()
    }
}
