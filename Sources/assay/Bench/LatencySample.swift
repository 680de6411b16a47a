/// Latencies of one operation, in seconds.
struct LatencySample: Sendable {
    private var values: [Double] = []

    mutating func add(_ duration: Duration) { self.values.append(duration / .seconds(1)) }

    mutating func add(_ other: LatencySample) { self.values += other.values }

    var count: Int { self.values.count }

    /// The value that a part of all lie at or below; nil without any.
    func quantile(_ part: Double) -> Double? {
        guard !self.values.isEmpty else { return nil }
        let sorted = self.values.sorted()
        return sorted[min(sorted.count - 1, Int((part * Double(sorted.count)).rounded(.up)) - 1)]
    }
}
