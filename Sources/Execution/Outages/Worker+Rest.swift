internal import JobQueue
internal import Logging

extension Worker {
    /// Waits once after each failure, before the next claim, when shard after shard has failed here for reasons that may
    /// not hold elsewhere.
    ///
    /// A worker that fails at once would otherwise take all there is, and use up the attempts of every shard before
    /// healthy workers get to them.
    func rest() async {
        guard let pause = self.health.pause() else { return }
        self.logger.warning(
            "one shard after the other fails here; waiting before the next, so that others can take them",
            metadata: ["failures": "\(self.health.failuresInRow)", "wait": "\(pause.rounded)"])
        let isWanted = self.isWanted
        do throws(QueueError) {
            try await self.pause(pause, while: isWanted)
        } catch {
            // Cancelled: the loop sees it by itself.
        }
    }

    /// Notes what this node lacks for a shard, which is given back for others.
    func lacks(_ error: ExecutionError, for shard: ClaimedShard, _ logger: Logger) {
        switch error.code {
        case .nodeFault: self.health.lacks(error, for: shard.job, model: shard.model, at: self.clock.now)
        case .storeRefused: self.health.isOfNoUse(error.message)
        default: return
        }
        logger.warning("shard given back: it can't be worked on here", metadata: ["reason": "\(error)"])
        self.sayWhetherToLeave()
    }

    /// Notes that there is work, but none that this worker could claim.
    func foundNothing() {
        self.health.foundNothing()
        self.sayWhetherToLeave()
    }

    private func sayWhetherToLeave() {
        guard let reason = self.health.reasonToLeave else { return }
        self.logger.error("this node is of no use; leaving", metadata: ["reason": "\(reason)"])
    }
}
