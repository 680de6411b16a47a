public import FoundationEssentials
internal import Synchronization

/// A clock that stands still until it is moved.
public final class ManualClock: Sendable {
    private let time: Mutex<Date>

    public init(secondsSince1970: Double = 1_800_000_000) {
        self.time = Mutex(Date(timeIntervalSince1970: secondsSince1970))
    }

    public var now: Date { self.time.withLock { $0 } }

    public func advance(by seconds: Double) { self.time.withLock { $0 += seconds } }
}
