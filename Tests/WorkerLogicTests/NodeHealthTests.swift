import JobQueue
import Testing

@testable import WorkerLogic

@Suite struct NodeHealthTests {
    private let start = ContinuousClock.now

    private func job(_ number: Int64) -> JobID { JobID(number: number, run: .random(), ordinal: 0) }

    @Test func aJobIsLeftToOthersLongerEachTime() {
        var health = NodeHealth(endsWhenDrained: false)
        let job = self.job(1)
        for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600] {
            health.lacks(Self.fault("no model"), for: job, model: "m", at: self.start)
            health.foundNothing()
            #expect(health.shunned(at: self.start + .seconds(pause - 1)) == [job])
            #expect(health.shunned(at: self.start + .seconds(pause)).isEmpty)
        }
        // Its model's file may be gone for everybody: no reason to send every worker home.
        #expect(health.reasonToLeave == nil)
    }

    private static func fault(_ message: String, _ lacking: ExecutionError.Thing? = nil) -> ExecutionError {
        ExecutionError(.nodeFault, message, lacking: lacking)
    }

    @Test func threeThingsInARowAreTheNodesFault() {
        var health = NodeHealth(endsWhenDrained: false)
        health.lacks(
            Self.fault("no model", .model(sha256: "a", path: "/a.gguf")), for: self.job(1), model: "m", at: self.start)
        health.lacks(
            Self.fault("no model", .model(sha256: "b", path: "/b.gguf")), for: self.job(2), model: "m", at: self.start)
        #expect(health.reasonToLeave == nil)
        health.lacks(Self.fault("no data set", .dataSet(sha256: "f00d")), for: self.job(3), model: "m", at: self.start)
        #expect(health.reasonToLeave == "3 jobs can't be worked on here; the last one: no data set")
    }

    /// Workers that have it do these jobs, and this one does the others.
    @Test(arguments: [false, true]) func oneThingThatManyJobsNeedIsNotTheNodesFault(endsWhenDrained: Bool) {
        var health = NodeHealth(endsWhenDrained: endsWhenDrained)
        let jobs = (1...9).map { self.job($0) }
        for job in jobs {
            health.lacks(
                Self.fault("no model", .model(sha256: "a", path: "/a.gguf")), for: job, model: "m", at: self.start)
        }
        for job in jobs {
            health.lacks(Self.fault("no data set", .dataSet(sha256: "f00d")), for: job, model: "m", at: self.start)
        }
        #expect(health.shunned(at: self.start) == jobs)
        health.foundNothing()
        #expect(health.reasonToLeave == nil)
    }

    /// One place is looked at once, however many jobs of the run need it, and those of other runs are tried.
    @Test func aModelIsMissingWhereOneRunLooksForIt() {
        var health = NodeHealth(endsWhenDrained: false)
        let gone = Self.fault("no model", .model(sha256: "a", path: "/a.gguf"))
        #expect(health.trouble(at: self.start) == nil)
        let job = self.job(1)
        var now = self.start
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600] {
            health.lacks(gone, for: job, model: "m", at: now)
            let end = now + .seconds(wait)
            #expect(health.missingModels(at: end - .nanoseconds(1)) == [.inRun(job.run, "m")])
            #expect(health.missingModels(at: end).isEmpty)
            #expect(health.trouble(at: now)?.text == "job \(job.name) can't be worked on here: no model")
            #expect(health.trouble(at: now)?.until == end)
            now = end
        }
        // Its file is back.
        health.committed(job)
        health.lacks(gone, for: job, model: "m", at: now)
        #expect(health.missingModels(at: now + .seconds(1)).isEmpty)
    }

    /// The same file may be registered in another place: a worker comes to the run that knows it, however many look for it
    /// where it is not.
    @Test(arguments: [1, 2, 28, 99, 110]) func runsThatLookInVainHideNoneThatDoesNot(runsInVain: Int) {
        var health = NodeHealth(endsWhenDrained: false)
        let gone = Self.fault("no model", .model(sha256: "a", path: "/a.gguf"))
        let jobs = (1...runsInVain + 1).map { self.job(Int64($0)) }
        var (now, tries, next) = (self.start, 0, jobs.first)
        while next != jobs.last, tries <= runsInVain {
            if let job = next {
                health.lacks(gone, for: job, model: "m", at: now)
                tries += 1
            }
            let (missing, shunned) = (health.missingModels(at: now), health.shunned(at: now))
            next = jobs.first {
                !shunned.contains($0) && !missing.contains(.inRun($0.run, "m")) && !missing.contains(.anywhere("a"))
            }
            if next == nil { now += .seconds(10) }
        }
        #expect(next == jobs.last && tries == runsInVain && health.reasonToLeave == nil)
        // Up to a hundred are tried one after the other.
        #expect(runsInVain >= 100 || now == self.start)
    }

    @Test func whatWasMissingIsNoTroubleAnyMoreWhenItMayBeTriedAgain() {
        var health = NodeHealth(endsWhenDrained: false)
        let jobs = (1...3).map { self.job($0) }
        for job in jobs {
            health.lacks(Self.fault("no data set", .dataSet(sha256: "d")), for: job, model: "m", at: self.start)
        }
        #expect(
            health.trouble(at: self.start)?.text
                == "job \(jobs[2].name) can't be worked on here, nor 2 more: no data set")
        #expect(
            health.trouble(at: self.start + .seconds(2))?.text
                == "job \(jobs[2].name) can't be worked on here: no data set")
        #expect(health.trouble(at: self.start + .seconds(4)) == nil)
        #expect(health.missingModels(at: self.start).isEmpty)
    }

    /// What one job lacked last may be there again while another job still lacks something.
    @Test func theTroubleIsOneThatIsThereStill() {
        var health = NodeHealth(endsWhenDrained: false)
        let (first, second) = (self.job(1), self.job(2))
        health.lacks(
            Self.fault("no model", .model(sha256: "a", path: "/a.gguf")), for: first, model: "m", at: self.start)
        health.lacks(Self.fault("no data set", .dataSet(sha256: "d")), for: second, model: "m", at: self.start)
        health.committed(second)
        #expect(health.trouble(at: self.start)?.text == "job \(first.name) can't be worked on here: no model")
    }

    /// A worker comes to the jobs behind them, and results of others do not send it back to the first.
    @Test func jobsThatLackTheSameThingAreLeftForLongerWithEachOfThem() {
        var health = NodeHealth(endsWhenDrained: false)
        let jobs = (1...300).map { self.job($0) }
        for (place, job) in jobs.enumerated() {
            health.lacks(
                Self.fault("no model", .model(sha256: "a", path: "/a.gguf")), for: job, model: "m", at: self.start)
            if place % 7 == 0 { health.committed(self.job(1000)) }
        }
        #expect(health.reasonToLeave == nil)
        #expect(health.shunned(at: self.start + .seconds(512)) == Array(jobs[10...]))
        // It is back.
        health.committed(jobs[200])
        #expect(health.shunned(at: self.start).isEmpty)
        health.lacks(
            Self.fault("no model", .model(sha256: "a", path: "/a.gguf")), for: jobs[0], model: "m", at: self.start)
        #expect(health.shunned(at: self.start + .seconds(1)).isEmpty)
    }

    @Test func aThousandJobsAreTooManyToGoAround() {
        var health = NodeHealth(endsWhenDrained: false)
        for number in 1..<1000 {
            health.lacks(
                Self.fault("no model", .model(sha256: "a", path: "/a.gguf")), for: self.job(Int64(number)),
                model: "m", at: self.start)
        }
        #expect(health.reasonToLeave == nil)
        // What is to be tried again by then does not count.
        health.lacks(
            Self.fault("no model", .model(sha256: "a", path: "/a.gguf")), for: self.job(1000),
            model: "m", at: self.start + .seconds(512))
        #expect(health.reasonToLeave == nil)
        for number in 1001...1010 {
            let later = self.start + .seconds(512)
            health.lacks(
                Self.fault("no model", .model(sha256: "a", path: "/a.gguf")), for: self.job(Int64(number)), model: "m",
                at: later)
        }
        #expect(health.reasonToLeave == "1000 jobs can't be worked on here; the last one: no model")
    }

    /// It is not told of what a store that is away keeps from which job.
    @Test func aStoreThatIsAwayForThreeJobsIsTheNodesFault() {
        var health = NodeHealth(endsWhenDrained: false)
        for number in 1...3 {
            #expect(health.reasonToLeave == nil)
            health.lacks(Self.fault("the store is away"), for: self.job(Int64(number)), model: "m", at: self.start)
        }
        #expect(health.reasonToLeave == "3 jobs can't be worked on here; the last one: the store is away")
    }

    @Test func aResultBetweenThemShowsThatItIsNot() {
        var health = NodeHealth(endsWhenDrained: false)
        for number in 1...9 {
            health.lacks(
                Self.fault("no model", .model(sha256: "\(number)", path: "/\(number).gguf")),
                for: self.job(Int64(number)), model: "m", at: self.start)
            if number % 2 == 0 { health.committed(self.job(100)) }
        }
        #expect(health.reasonToLeave == nil)
    }

    @Test func aWorkerThatWaitsForNothingElseLeavesWhenThereIsNothingElse() {
        var health = NodeHealth(endsWhenDrained: true)
        let job = self.job(1)
        for _ in 0..<2 { health.lacks(Self.fault("no model"), for: job, model: "m", at: self.start) }
        health.foundNothing()
        #expect(health.reasonToLeave == nil)
        health.lacks(Self.fault("no model"), for: job, model: "m", at: self.start)
        #expect(health.reasonToLeave == nil)
        health.foundNothing()
        #expect(health.reasonToLeave?.hasSuffix("can't be worked on here: no model") == true)
    }

    @Test func failuresInARowAreRestedForOnceEach() {
        var health = NodeHealth(endsWhenDrained: false)
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<2 { health.failed() }
        let early = health.pause(using: &generator)
        #expect(early == nil && health.isFit)
        health.failed()
        let (first, second) = (health.pause(using: &generator), health.pause(using: &generator))
        #expect(first != nil && second == nil && !health.isFit)
        health.committed(self.job(1))
        #expect(health.isFit)
    }
}
