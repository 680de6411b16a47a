internal import UVEventLoop

extension PostgresConnection {
    /// Waits for this operation's turn; each success must be followed by ``release()``.
    func acquire(_ held: Set<TransactionToken> = TransactionToken.held) async throws(PostgresError) {
        guard !Task.isCancelled else { throw PostgresError.cancelledBeforeStart }
        guard case .queued(let ticket) = self.gate.request(held) else { return }
        let turn = PendingResult<Void>()
        self.gateWaiters[ticket] = turn
        do {
            try await turn.value {}
        } catch {
            if self.gate.withdraw(ticket) {
                self.gateWaiters[ticket] = nil
            } else if self.gateWaiters.removeValue(forKey: ticket) == nil {
                // The turn had been handed out when the cancellation won.
                self.release()
            }
            throw PostgresError.cancelledBeforeStart
        }
    }

    func release() {
        guard let next = self.gate.release() else { return }
        // A waiter that was cancelled meanwhile passes its turn on by itself.
        self.gateWaiters.removeValue(forKey: next)?.finish(.success(()))
    }
}

extension PostgresError {
    static let cancelledBeforeStart = PostgresError(.cancelled, "cancelled before the statement was sent")
}
