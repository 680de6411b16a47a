/// Decides when to claim the next shard: soon enough to have it ready, and late enough that idle workers get it first.
struct PrefetchClock: Sendable {
    private var perRow: Duration?
    private var preparation: Duration?

    /// Kept in hand beside three times what the last preparation took.
    static let margin: Duration = .seconds(1)

    /// How long to wait, from the beginning of a shard's computation.
    ///
    /// Nothing as long as too little is known.
    func delay(rows: Int) -> Duration {
        guard let perRow = self.perRow, let preparation = self.preparation else { return .zero }
        return max(.zero, perRow * rows - preparation * 3 - Self.margin)
    }

    mutating func computed(rows: Int, in duration: Duration) {
        guard rows > 0 else { return }
        self.perRow = duration / rows
    }

    mutating func prepared(in duration: Duration) { self.preparation = duration }
}
