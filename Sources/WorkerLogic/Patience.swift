package import JobQueue

/// Pauses between tries, each drawn between nothing and a bound that doubles, so that many workers do not come at once.
package struct Backoff: Sendable {
    /// The first pause's bound.
    let first: Duration
    /// No pause is longer.
    let longest: Duration
    package private(set) var failures = 0

    package init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
    }

    /// For a database that does not answer.
    package static let database = Backoff(first: .milliseconds(200), longest: .seconds(15))

    /// For a store that takes nothing.
    package static let store = Backoff(first: .milliseconds(500), longest: .seconds(15))

    /// For a worker whose shards fail one after the other.
    package static let unfit = Backoff(first: .milliseconds(500), longest: .seconds(60))

    /// Counts a failure and answers the longest that the pause before the next try may be.
    package mutating func failed() -> Duration {
        self.failures += 1
        return self.bound
    }

    /// Counts a failure and answers how long to wait before the next try.
    package mutating func pause(using generator: inout some RandomNumberGenerator) -> Duration {
        self.failed() * Double.random(in: 0...1, using: &generator)
    }

    /// Counts a failure and answers how long to wait before the next try.
    package mutating func pause() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return self.pause(using: &generator)
    }

    package mutating func reset() { self.failures = 0 }

    /// The longest that the pause after the failures so far may be.
    private var bound: Duration {
        guard self.failures > 0 else { return .zero }
        return min(self.longest, self.first * (1 << min(self.failures - 1, 30)))
    }
}

/// The database's silence as one party sees it: said once when it begins, and once when it is over.
package struct Outage: Sendable {
    private var began: ContinuousClock.Instant?
    private var failures = 0

    package init() {}

    /// Notes a call that failed; true for the first one of an outage.
    package mutating func failed(at now: ContinuousClock.Instant) -> Bool {
        self.failures += 1
        guard self.began == nil else { return false }
        self.began = now
        return true
    }

    /// Notes a call that was answered; how long the outage was and how many calls failed, if there was one.
    package mutating func ended(at now: ContinuousClock.Instant) -> (lasted: Duration, failures: Int)? {
        guard let began = self.began.take() else { return nil }
        defer { self.failures = 0 }
        return (now - began, self.failures)
    }
}

/// Random numbers that a seed decides (SplitMix64), so that a history can be run again.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { self.state = seed }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var bits = self.state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}

/// When to claim the next shard: soon enough to have it ready, and late enough that idle workers get it first.
package struct PrefetchClock: Sendable {
    /// Of the job whose shard was computed last; another job's says nothing about its pace.
    private var pace: (job: JobID, perRow: Duration)?
    private var preparation: Duration?

    package init() {}

    /// Kept in hand beside three times what the last preparation took.
    package static let margin: Duration = .seconds(1)

    /// How long to wait, from the beginning of a shard's computation; nil as long as its job's pace is not known.
    package func delay(_ job: JobID, rows: Int) -> Duration? {
        guard let pace = self.pace, pace.job == job, let preparation = self.preparation else { return nil }
        return max(.zero, pace.perRow * rows - preparation * 3 - Self.margin)
    }

    /// Whether it is time where the pace is not known: a shard that has only begun may take hours, in which an idle worker
    /// could have done the next one.
    package static func isNearEnd(samples: Int, of rows: Int) -> Bool { samples * 10 >= rows * 7 }

    package mutating func computed(_ job: JobID, rows: Int, in duration: Duration) {
        guard rows > 0 else { return }
        self.pace = (job, duration / rows)
    }

    package mutating func prepared(in duration: Duration) { self.preparation = duration }
}

extension Duration {
    /// For logs: "12.3 s".
    package var rounded: String {
        let tenths = Int((self.seconds * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) s"
    }

    package var seconds: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
