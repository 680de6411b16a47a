/// Where a shard stands.
public enum ShardState: String, Sendable, Hashable, CaseIterable, Encodable {
    /// Waits for its backoff to end.
    case blocked
    /// May be claimed.
    case ready
    case running
    case done
    case failed
    case cancelled
    /// Waits for a person.
    case held
}

/// Shards by state.
public struct ShardCounts: Sendable, Hashable, Encodable {
    public var blocked = 0
    public var ready = 0
    public var running = 0
    public var done = 0
    public var failed = 0
    public var cancelled = 0
    public var held = 0

    public init() {}

    public var total: Int { open + done + failed + cancelled + held }

    /// Shards that will still be worked on without anybody's help.
    public var open: Int { blocked + ready + running }

    public subscript(state: ShardState) -> Int {
        get { self[keyPath: Self.path(to: state)] }
        set { self[keyPath: Self.path(to: state)] = newValue }
    }

    public static func + (left: ShardCounts, right: ShardCounts) -> ShardCounts {
        var sum = left
        for state in ShardState.allCases {
            sum[state] += right[state]
        }
        return sum
    }

    private static func path(to state: ShardState) -> WritableKeyPath<ShardCounts, Int> {
        switch state {
        case .blocked: \.blocked
        case .ready: \.ready
        case .running: \.running
        case .done: \.done
        case .failed: \.failed
        case .cancelled: \.cancelled
        case .held: \.held
        }
    }
}
