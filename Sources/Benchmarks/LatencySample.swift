/// Latencies of one operation, in seconds.
public struct LatencySample: Sendable {
    private var values: [Double] = []

    public init() {}

    public mutating func add(_ duration: Duration) { self.values.append(duration / .seconds(1)) }

    public mutating func add(_ other: LatencySample) { self.values += other.values }

    public var count: Int { self.values.count }

    /// The value that a part of all lie at or below; nil without any.
    public func quantile(_ part: Double) -> Double? {
        guard !self.values.isEmpty else { return nil }
        let sorted = self.values.sorted()
        return sorted[min(sorted.count - 1, Int((part * Double(sorted.count)).rounded(.up)) - 1)]
    }
}

/// Does the same in several ways, each once a round: what disturbs the machine for a while disturbs all of them.
///
/// - Parameter body: Given a way and the number of the round, from 0.
/// - Returns: For each way what came of its rounds.
public func inTurns<Way, Value>(
    _ ways: [Way], rounds: Int, _ body: (_ way: Way, _ round: Int) async throws -> Value
) async rethrows -> [[Value]] {
    var values = ways.map { _ in [Value]() }
    for round in 0..<rounds {
        for (place, way) in ways.enumerated() { values[place].append(try await body(way, round)) }
    }
    return values
}
