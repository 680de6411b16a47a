internal import Logging
internal import UVEventLoop

extension PostgresPool {
    /// A connection that belongs to the caller until ``giveBack(_:_:)``.
    struct Leased: Sendable {
        let slot: PoolState.Slot
        let connection: PostgresConnection
    }

    func lease() async throws(PostgresError) -> Leased {
        guard !Task.isCancelled else { throw PostgresError(.cancelled, "cancelled before a connection was free") }
        switch self.state.request() {
        case .refused: throw PostgresError.poolShutDown
        case .lease(let lease): return try await self.redeem(lease)
        case .wait(let ticket): return try await self.redeem(self.waitForTurn(ticket))
        }
    }

    func giveBack(_ leased: Leased) async {
        let isClean = await leased.connection.isClean()
        guard isClean, !self.state.isShutDown else {
            self.forget(leased.slot)
            await leased.connection.close()
            self.follow(self.state.discard(leased.slot))
            return
        }
        self.lastUse[leased.slot] = .now
        self.follow(self.state.giveBack(leased.slot))
        await self.closeUnused(besides: leased.slot)
    }

    /// The slot's next user opens a new connection.
    private func forget(_ slot: PoolState.Slot) {
        self.connections[slot] = nil
        if self.state.preferred == slot { self.state.preferred = nil }
    }

    /// A server has room for so many connections only; those of a busy hour are not kept through a quiet night.
    private func closeUnused(besides current: PoolState.Slot) async {
        let limit = ContinuousClock.now - self.options.idleTimeout
        var closing: [PostgresConnection] = []
        for slot in self.state.idleSlots where slot != self.state.preferred && slot != current {
            guard let last = self.lastUse[slot], last < limit, self.state.retire(slot) else { continue }
            if let connection = self.connections[slot] { closing.append(connection) }
            self.forget(slot)
        }
        for connection in closing { await connection.close() }
    }

    private func follow(_ handover: PoolState.Handover) {
        var handover = handover
        while case .give(let lease, let ticket) = handover {
            if self.waiters.removeValue(forKey: ticket)?.finish(.success(lease)) == true { break }
            // That caller was cancelled, or timed out, a moment ago.
            switch lease {
            case .use(let slot): handover = self.state.giveBack(slot)
            case .open(let slot): handover = self.state.discard(slot)
            }
        }
        self.leaseEnded()
    }

    private func waitForTurn(_ ticket: PoolState.Ticket) async throws(PostgresError) -> PoolState.Lease {
        let turn = PendingResult<PoolState.Lease>()
        self.waiters[ticket] = turn
        let alarm = self.options.leaseTimeout.map { timeout in
            let (loop, size) = (self.loop, self.options.size)
            return Task {
                guard (try? await loop.sleep(for: timeout)) != nil else { return }
                turn.finish(
                    .failure(
                        PostgresError(
                            .timedOut, "no database connection became free within \(timeout); all \(size) are in use",
                            hint: "use a larger pool, or don't hold connections while doing something else")))
            }
        }
        defer { alarm?.cancel() }
        do {
            return try await turn.value {}
        } catch {
            self.abandon(ticket)
            throw error as? PostgresError ?? PostgresError(.cancelled, "cancelled while waiting for a connection")
        }
    }

    /// The caller was cancelled or timed out; a lease that was on its way goes to the next one.
    private func abandon(_ ticket: PoolState.Ticket) {
        if self.state.withdraw(ticket) { self.waiters[ticket] = nil }
    }

    private func redeem(_ lease: PoolState.Lease) async throws(PostgresError) -> Leased {
        switch lease {
        case .use(let slot):
            if let connection = self.connections[slot] {
                if await connection.isAlive() { return Leased(slot: slot, connection: connection) }
                self.forget(slot)
                await connection.close()
                self.logger?.debug("replacing a broken database connection")
            }
            return try await self.open(slot)
        case .open(let slot):
            return try await self.open(slot)
        }
    }

    private func open(_ slot: PoolState.Slot) async throws(PostgresError) -> Leased {
        do throws(PostgresError) {
            let connection = try await self.connectPatiently()
            self.connections[slot] = connection
            self.hasConnected = true
            return Leased(slot: slot, connection: connection)
        } catch {
            self.follow(self.state.discard(slot))
            throw error
        }
    }

    /// Tries until the server is back, if it has been there before or says that it is starting.
    private func connectPatiently() async throws(PostgresError) -> PostgresConnection {
        let deadline = ContinuousClock.now + self.options.reconnectTimeout
        let retry = PostgresRetry(initialPause: .milliseconds(100), maxPause: .seconds(3))
        var attempt = 1
        while true {
            do throws(PostgresError) {
                return try await PostgresConnection.connect(self.configuration, on: self.loop, logger: self.logger)
            } catch {
                let mayPass = error.isConnectionFailure && (error.sqlState ?? "57P03").hasPrefix("57P0")
                let isKnown = self.hasConnected || error.sqlState == "57P03"
                let pause = retry.pause(afterAttempt: attempt)
                guard mayPass, isKnown, !self.state.isShutDown, .now + pause < deadline else { throw error }
                self.logger?.debug("database not reachable, trying again", metadata: ["error": "\(error.message)"])
                guard (try? await self.loop.sleep(for: pause)) != nil else {
                    throw PostgresError(.cancelled, "cancelled while connecting: \(error.message)")
                }
                attempt += 1
            }
        }
    }
}
