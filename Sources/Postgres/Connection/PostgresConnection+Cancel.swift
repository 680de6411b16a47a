internal import CPostgres
internal import UVEventLoop

extension PostgresConnection {
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
        let limit = self.configuration.cancelTimeout
        let deadline = ContinuousClock.now + limit
        guard limit > .zero, await self.requestCancel(on: handle, within: limit) else {
            self.end(PostgresError(.connectionLost, "given up with a statement that was not waited for any longer"))
            return
        }
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

    /// Asks the server to end what runs; false when the request does not get through in time.
    ///
    /// PQcancel connects and waits for the server, so that no late request can hit the next statement; on a dead
    /// network it may wait for long, on a thread that is then left to it.
    private func requestCancel(on handle: LibpqHandle, within limit: Duration) async -> Bool {
        guard let cancel = PQgetCancel(handle.pointer) else { return true }
        let request = CancelRequest(pointer: cancel)
        let sent = PendingResult<Void>()
        let sending = Task {
            await offLoop { request.send() }
            sent.finish(.success(()))
        }
        let loop = self.loop
        let alarm = Task {
            try? await loop.sleep(for: limit)
            sent.finish(.failure(CancellationError()))
        }
        defer {
            sending.cancel()
            alarm.cancel()
        }
        return (try? await sent.value {}) != nil
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
