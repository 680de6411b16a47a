internal import CPostgres

extension PostgresConnection {
    /// Looks whether the server has hung up on an idle connection, without asking it.
    func isAlive() -> Bool {
        guard case .open(let handle) = self.state else { return false }
        // The first read may take a farewell, the second one sees the end of the stream.
        for _ in 0..<2 where !self.consume(handle) {
            _ = self.lost(handle)
            return false
        }
        return true
    }

    /// Nothing of the last user is left: no transaction, no running statement, no listener.
    func isClean() -> Bool {
        guard case .open(let handle) = self.state, !handle.isBad else { return false }
        return handle.transactionStatus == PQTRANS_IDLE && self.gate.transaction == nil && self.listeners.isEmpty
    }
}
