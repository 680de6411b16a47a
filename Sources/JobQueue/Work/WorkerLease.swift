/// A worker's right to its shards, for `ttl` from each heartbeat on.
public struct WorkerLease: Sendable, Hashable {
    public let worker: WorkerID
    public let incarnation: Incarnation
    /// How long the lease lasts unless it is renewed.
    public let ttl: Duration

    public init(worker: WorkerID, incarnation: Incarnation, ttl: Duration) {
        self.worker = worker
        self.incarnation = incarnation
        self.ttl = ttl
    }

    public static let defaultTTL: Duration = .seconds(60)

    /// How often to renew: a sixth of the lease, so that five renewals may fail in a row.
    public var heartbeatInterval: Duration { ttl / 6 }

    /// How long a renewal may take: two can time out one after the other before the lease is in danger.
    public static func heartbeatTimeout(ttl: Duration) -> Duration { ttl / 4 }

    /// How long a renewal may take.
    public var heartbeatTimeout: Duration { Self.heartbeatTimeout(ttl: ttl) }

    /// How long after the last successful heartbeat was sent, by the worker's own monotonic clock, it must stop.
    public var safeDuration: Duration { ttl - ttl / 6 }
}
