internal import CPostgres
internal import UVEventLoop

extension PostgresConnection {
    /// How long the server may take to end a statement after a cancel request.
    private static let cancelGrace = Duration.seconds(10)

    /// Ends a statement that is not waited for any longer; returns the error to throw.
    ///
    /// The connection is usable afterwards, or has ended.
    func giveUp(_ error: PostgresError, on handle: LibpqHandle) async -> PostgresError {
        guard error.code == .cancelled || error.code == .timedOut else {
            self.end(error)
            return error
        }
        // A task of its own, because this one may be cancelled.
        await Task { await self.cancelStatement(on: handle) }.value
        var error = error
        error.message =
            error.code == .cancelled
            ? "cancelled; the statement was cancelled on the server" : "timed out; the statement was cancelled"
        return error
    }

    private func cancelStatement(on handle: LibpqHandle) async {
        // PQcancel connects and waits for the server, so that no late request can hit the next statement.
        if let cancel = PQgetCancel(handle.pointer) {
            let request = CancelRequest(pointer: cancel)
            await offLoop { request.send() }
        }
        let deadline = ContinuousClock.now + Self.cancelGrace
        do throws(PostgresError) {
            var isOver = false
            while !isOver {
                try await self.flush(handle, until: deadline)
                let outcome = try await self.collect(handle, until: deadline)
                isOver = outcome.last?.status != PGRES_COPY_IN
                if !isOver { PQputCopyEnd(handle.pointer, "cancelled") }
            }
            if handle.isBad { _ = self.lost(handle) }
        } catch {
            self.end(PostgresError(.connectionLost, "a cancelled statement did not end: \(error.message)"))
        }
    }
}

/// A cancel request for the statement that runs.
///
/// Safety: used by one thread at a time; PQcancel is made for use from another thread.
private struct CancelRequest: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Sends the request, waits until the server has taken it, and frees it.
    func send() {
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(self.pointer, &message, CInt(message.count))
        PQfreeCancel(self.pointer)
    }
}
