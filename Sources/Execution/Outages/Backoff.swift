/// Pauses between tries, each drawn between nothing and a bound that doubles, so that many workers do not come at once.
struct Backoff: Sendable {
    /// The first pause's bound.
    let first: Duration
    /// No pause is longer.
    let longest: Duration
    private(set) var failures = 0

    init(first: Duration, longest: Duration) {
        self.first = first
        self.longest = longest
    }

    /// For a database that does not answer.
    static let database = Backoff(first: .milliseconds(200), longest: .seconds(15))

    /// For a store that takes nothing.
    static let store = Backoff(first: .milliseconds(500), longest: .seconds(15))

    /// For a worker whose shards fail one after the other.
    static let unfit = Backoff(first: .milliseconds(500), longest: .seconds(60))

    /// Counts a failure and answers the longest that the pause before the next try may be.
    mutating func failed() -> Duration {
        self.failures += 1
        return self.bound
    }

    /// Counts a failure and answers how long to wait before the next try.
    mutating func pause(using generator: inout some RandomNumberGenerator) -> Duration {
        self.failed() * Double.random(in: 0...1, using: &generator)
    }

    /// Counts a failure and answers how long to wait before the next try.
    mutating func pause() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return self.pause(using: &generator)
    }

    mutating func reset() { self.failures = 0 }

    /// The longest that the pause after the failures so far may be.
    private var bound: Duration {
        guard self.failures > 0 else { return .zero }
        return min(self.longest, self.first * (1 << min(self.failures - 1, 30)))
    }
}
