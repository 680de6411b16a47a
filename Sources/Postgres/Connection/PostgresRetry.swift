/// How often and how soon something is tried again.
public struct PostgresRetry: Sendable, Hashable {
    /// The number of attempts, the first one included.
    public var maxAttempts: Int
    /// The upper bound of the first pause; it doubles with every further one.
    public var initialPause: Duration
    public var maxPause: Duration

    public init(maxAttempts: Int = 8, initialPause: Duration = .milliseconds(20), maxPause: Duration = .seconds(2)) {
        self.maxAttempts = maxAttempts
        self.initialPause = initialPause
        self.maxPause = maxPause
    }

    public static let `default` = PostgresRetry()
    /// One attempt only.
    public static let never = PostgresRetry(maxAttempts: 1)

    /// The pause after a failed attempt (from 1): uniform between zero and the bound, so that rivals part.
    public func pause(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(max(0, attempt - 1), 30)
        let bound = min(self.maxPause, self.initialPause * (1 << doublings))
        return bound * Double.random(in: 0...1, using: &generator)
    }

    func pause(afterAttempt attempt: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return self.pause(afterAttempt: attempt, using: &generator)
    }
}
