internal import CPostgres

extension PostgresConnection {
    /// Looks whether the server has hung up on an idle connection, without asking it.
    func isAlive() -> Bool {
        guard case .open(let handle) = self.state else { return false }
        // A statement that runs, such as the end of somebody's listening, finds out by itself.
        guard !self.gate.isBusy else { return !handle.isBad }
        // The first read may take a farewell, the second one sees the end of the stream.
        for _ in 0..<2 where !self.consume(handle) {
            _ = self.lost(handle)
            return false
        }
        return true
    }

    /// From now on a listener is no reason against lending the connection to others.
    func keepListening() { self.isShared = true }

    /// Nothing of the last user is left: no transaction, no running statement, no listener but the pool's own.
    func isClean() -> Bool {
        guard case .open(let handle) = self.state, !handle.isBad else { return false }
        // On a shared connection somebody's listening may just be ending.
        return (handle.transactionStatus == PQTRANS_IDLE || self.isShared && self.gate.isBusy)
            && self.gate.transaction == nil && (self.isShared || self.listeners.isEmpty)
    }
}
