import JobQueue
import Testing
import WorkerLogic

@Suite struct PatienceTests {
    @Test func anOutageIsSaidOnceAndItsEndToo() {
        var outage = Outage()
        let start = ContinuousClock.now
        let none = outage.ended(at: start)
        #expect(none == nil)
        let isFirst = (0..<3).map { outage.failed(at: start + .seconds($0)) }
        #expect(isFirst == [true, false, false])
        let end = outage.ended(at: start + .seconds(5))
        #expect(end?.lasted == .seconds(5))
        #expect(end?.failures == 3)
        let again = outage.ended(at: start + .seconds(6))
        #expect(again == nil)
        let isNew = outage.failed(at: start + .seconds(7))
        #expect(isNew)
        let second = outage.ended(at: start + .seconds(8))
        #expect(second?.failures == 1)
    }

    @Test func pausesGrowWithinTheirBoundsAndAreSpread() {
        var generator = SystemRandomNumberGenerator()
        var pauses: [Duration] = []
        for _ in 0..<50 {
            var backoff = Backoff(first: .milliseconds(200), longest: .seconds(15))
            for bound in [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000] {
                let pause = backoff.pause(using: &generator)
                #expect(pause >= .zero && pause <= .milliseconds(bound))
                if bound == 15_000 { pauses.append(pause) }
            }
            backoff.reset()
            let fresh = backoff.pause(using: &generator)
            #expect(fresh <= .milliseconds(200))
        }
        // Full jitter: a fixed pause would bring all workers back at the same moment.
        #expect(pauses.contains { $0 < .seconds(5) } && pauses.contains { $0 > .seconds(10) })
    }
}

@Suite struct PrefetchClockTests {
    private let job = JobID(number: 1, run: .random(), ordinal: 0)

    @Test func knowsNothingUntilAShardOfTheJobWasComputed() {
        var clock = PrefetchClock()
        #expect(clock.delay(self.job, rows: 100) == nil)
        clock.prepared(in: .seconds(2))
        #expect(clock.delay(self.job, rows: 100) == nil)
        clock.computed(self.job, rows: 100, in: .seconds(60))
        #expect(clock.delay(self.job, rows: 100) == .seconds(60) - .seconds(6) - PrefetchClock.margin)
        // Another task, or another model, takes as long as it takes.
        #expect(clock.delay(JobID(number: 2, run: .random(), ordinal: 1), rows: 100) == nil)
    }

    @Test func shortShardsAreClaimedAtOnce() throws {
        var clock = PrefetchClock()
        clock.prepared(in: .milliseconds(100))
        clock.computed(self.job, rows: 100, in: .seconds(1))
        #expect(clock.delay(self.job, rows: 100) == .zero)
        #expect(try #require(clock.delay(self.job, rows: 10_000)) > .seconds(90))
    }

    @Test func withoutAPaceItIsTimeNearTheEnd() {
        #expect(!PrefetchClock.isNearEnd(samples: 0, of: 10))
        #expect(!PrefetchClock.isNearEnd(samples: 6, of: 10))
        #expect(PrefetchClock.isNearEnd(samples: 7, of: 10))
        #expect(PrefetchClock.isNearEnd(samples: 1, of: 1))
    }
}
