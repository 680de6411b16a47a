internal import JobQueue
internal import Logging

/// The database's silence as one party sees it: said once when it begins, and once when it is over.
struct Outage: Sendable {
    private let clock = ContinuousClock()
    private var began: ContinuousClock.Instant?
    private var failures = 0

    /// Notes a call that failed; true for the first one of an outage.
    mutating func failed(at now: ContinuousClock.Instant) -> Bool {
        self.failures += 1
        guard self.began == nil else { return false }
        self.began = now
        return true
    }

    /// Notes a call that was answered; how long the outage was and how many calls failed, if there was one.
    mutating func ended(at now: ContinuousClock.Instant) -> (lasted: Duration, failures: Int)? {
        guard let began = self.began.take() else { return nil }
        defer { self.failures = 0 }
        return (now - began, self.failures)
    }

    /// Notes a call that failed, and says so if it is the first one.
    mutating func failed(_ error: any Error, doing task: String, _ logger: Logger) {
        if self.failed(at: self.clock.now) {
            let isMisfit = (error as? QueueError)?.code == .schema
            logger.warning(
                isMisfit
                    ? "the database's schema does not fit to \(task), as while it is migrated; trying until it does"
                    : "no database to \(task); trying until it is back", metadata: ["error": "\(error)"])
        } else {
            logger.debug("still no database to \(task)", metadata: ["error": "\(error)"])
        }
    }

    /// Notes a call that was answered, and says how long the outage was if there was one.
    mutating func ended(_ logger: Logger) {
        guard let (lasted, failures) = self.ended(at: self.clock.now) else { return }
        logger.notice(
            "the database is back", metadata: ["outage": "\(lasted.rounded)", "failed_calls": "\(failures)"])
    }
}

extension Duration {
    /// For logs: "12.3 s".
    var rounded: String {
        let tenths = Int((self.seconds * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) s"
    }

    var seconds: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
