extension EventLoop {
    /// Waits until the descriptor can be read (data, end of file or an error).
    public func waitUntilReadable(_ descriptor: CInt, timeout: Duration? = nil) async throws {
        _ = try await self.waitUntilReady(descriptor, for: .readable, timeout: timeout)
    }

    /// Waits until the descriptor can be written, or its connection attempt has ended.
    public func waitUntilWritable(_ descriptor: CInt, timeout: Duration? = nil) async throws {
        _ = try await self.waitUntilReady(descriptor, for: .writable, timeout: timeout)
    }

    /// Waits once for any of `events`, from any context; several waiters for one descriptor are fine.
    ///
    /// The descriptor becomes non-blocking, and must stay open until the wait ends. Regular files can't be waited for.
    /// Throws `CancellationError`, or ``EventLoopError``: `.timedOut`, `.shutDown` or `.system`.
    public func waitUntilReady(
        _ descriptor: CInt, for events: Readiness, timeout: Duration? = nil
    ) async throws -> Readiness {
        try Task.checkCancellation()
        let pending = PendingResult<Readiness>()
        self.perform { self.startWait(descriptor, events, timeout, pending) }
        return try await pending.value {
            self.perform { self.confined.pollers[descriptor]?.remove(pending) }
        }
    }

    private func startWait(
        _ descriptor: CInt, _ events: Readiness, _ timeout: Duration?, _ pending: PendingResult<Readiness>
    ) {
        guard !pending.isFinished else { return }
        do throws(EventLoopError) {
            guard self.confined.isOpen else { throw EventLoopError(.shutDown, "wait for descriptor \(descriptor)") }
            let poller: DescriptorPoller
            if let known = self.confined.pollers[descriptor] {
                poller = known
            } else {
                poller = try DescriptorPoller(descriptor, on: self)
                self.confined.pollers[descriptor] = poller
                self.register(poller)
            }
            poller.add(pending, events, timeout)
        } catch {
            pending.finish(.failure(error))
        }
    }
}
