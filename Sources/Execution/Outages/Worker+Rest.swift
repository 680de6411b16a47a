internal import JobQueue
internal import Logging

extension Worker {
    /// Failures in a row after which a worker thinks that the fault may be its own: no model where others have one, a
    /// broken device.
    private static let failuresUntilRest = 3

    /// Nothing is claimed ahead while everything fails.
    var isFit: Bool { self.failuresInRow < Self.failuresUntilRest }

    /// Waits once after each failure, before the next claim, when shard after shard has failed here for reasons that may
    /// not hold elsewhere.
    ///
    /// A worker that fails at once would otherwise take all there is, and use up the attempts of every shard before
    /// healthy workers get to them.
    func rest() async {
        guard !self.isFit else {
            self.restBackoff.reset()
            self.restedFailures = 0
            return
        }
        guard self.failuresInRow > self.restedFailures else { return }
        self.restedFailures = self.failuresInRow
        let pause = self.restBackoff.pause()
        self.logger.warning(
            "one shard after the other fails here; waiting before the next, so that others can take them",
            metadata: ["failures": "\(self.failuresInRow)", "wait": "\(pause.rounded)"])
        let isWanted = self.isWanted
        do throws(QueueError) {
            try await self.pause(pause, while: isWanted)
        } catch {
            // Cancelled: the loop sees it by itself.
        }
    }
}
