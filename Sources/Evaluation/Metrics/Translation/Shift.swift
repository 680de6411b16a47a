/// Words of a hypothesis that move together.
struct Shift {
    var start: Int
    var length: Int
    /// The word before which they go.
    ///
    /// If that is one of their own, or the one behind them, they move back by `target - start` words instead.
    var target: Int

    /// Words before this one keep their places.
    var firstChange: Int { min(self.start, self.target) }

    func applied(to words: [UInt32]) -> [UInt32] {
        let end = self.start + self.length
        var shifted = words
        shifted.removeSubrange(self.start..<end)
        let place = self.target > end ? self.target - self.length : min(self.target, shifted.count)
        shifted.insert(contentsOf: words[self.start..<end], at: place)
        return shifted
    }
}
