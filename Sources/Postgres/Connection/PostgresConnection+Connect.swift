internal import CPostgres
internal import UVEventLoop

extension PostgresConnection {
    func open() async throws(PostgresError) {
        do throws(PostgresError) {
            let handle = try await self.connectToAny()
            self.state = .open(handle)
            try await self.beginSession(handle)
        } catch {
            self.end(error)
            throw error
        }
    }

    /// Tries the servers one after the other, each with its part of the time that is left.
    private func connectToAny() async throws(PostgresError) -> LibpqHandle {
        let servers = self.configuration.parameters
        let deadline = ContinuousClock.now + self.configuration.connectTimeout
        var errors: [PostgresError] = []
        for (index, server) in servers.enumerated() {
            do throws(PostgresError) {
                let left = max(.zero, deadline - .now)
                return try await self.connect(to: server, until: .now + left / (servers.count - index))
            } catch {
                errors.append(error)
                guard error.mayLieElsewhere else { throw error }
            }
        }
        throw PostgresError(connecting: errors)
    }

    private func connect(
        to server: [String: String], until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) -> LibpqHandle {
        guard !Task.isCancelled else { throw PostgresError(.cancelled, "cancelled before connecting") }
        let logger = self.logger
        let result = await offLoop { () -> Result<LibpqHandle, PostgresError> in
            do throws(PostgresError) {
                return .success(try LibpqHandle(starting: server, logger: logger))
            } catch {
                return .failure(error)
            }
        }
        let handle = try result.get()
        try await self.finishConnecting(handle, until: deadline)
        return handle
    }

    private func finishConnecting(
        _ handle: LibpqHandle, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) {
        var status = handle.isBad ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while status != PGRES_POLLING_OK {
            guard status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING else {
                throw PostgresError(connecting: handle.errorMessage, to: self.configuration)
            }
            do throws(PostgresError) {
                // The socket may be another one after each poll.
                _ = try await self.wait(
                    handle, for: status == PGRES_POLLING_READING ? .readable : .writable, until: deadline)
            } catch {
                guard error.code == .timedOut else { throw error }
                throw PostgresError(
                    .timedOut, "no connection to \(self.configuration) within \(self.configuration.connectTimeout)",
                    hint: "check host, port and firewall, or raise the connect time-out")
            }
            status = PQconnectPoll(handle.pointer)
        }
        PQsetErrorVerbosity(handle.pointer, PQERRORS_DEFAULT)
        guard PQsetnonblocking(handle.pointer, 1) == 0 else {
            throw PostgresError(.connectionFailed, handle.errorMessage)
        }
    }

    /// Waits for the connection's socket; the deadline's end is a `.timedOut` error.
    func wait(
        _ handle: LibpqHandle, for events: Readiness, until deadline: ContinuousClock.Instant?
    ) async throws(PostgresError) -> Readiness {
        let timeout = deadline.map { max(.zero, $0 - .now) }
        do {
            return try await self.loop.waitUntilReady(handle.socket, for: events, timeout: timeout)
        } catch is CancellationError {
            throw PostgresError(.cancelled, "cancelled")
        } catch let error as EventLoopError {
            switch error.code {
            case .timedOut: throw PostgresError(.timedOut, "timed out")
            case .shutDown: throw PostgresError(.shutDown, "the event loop was shut down")
            case .system: throw PostgresError(.connectionLost, error.description)
            }
        } catch {
            throw PostgresError(.connectionLost, "\(error)")
        }
    }
}

extension PostgresError {
    static let startHint = "start the server with `assay up` if it is the embedded one, or correct ASSAY_DATABASE_URL"

    /// libpq's verbose message of a failed attempt, with SQLSTATE and advice taken out of it.
    init(connecting message: String, to configuration: PostgresConfiguration) {
        var state: String?
        var lines: [Substring] = []
        for line in message.split(separator: "\n") where !line.hasPrefix("LOCATION:") {
            var line = line
            // "FATAL:  57P03: the database system is starting up"
            if let match = line.firstMatch(of: #/:  ([0-9A-Z]{5}): /#) {
                state = state ?? String(match.1)
                line.replaceSubrange(match.range, with: ": ")
            }
            lines.append(line.drop(while: \.isWhitespace))
        }
        let hint: String? =
            switch state {
            case "3D000": "create the database, or name another one"
            case "28P01", "28000": "check the user and its password or the server's pg_hba.conf"
            case "08P01" where message.contains("unsupported startup parameter"):
                "a pooler refuses it: leave it out of the connection string"
            case "53300":
                "too many connections: raise max_connections, or put a PgBouncer before the server; `assay doctor` counts"
            case "57P03": "the server is starting up or shutting down; try again"
            case nil where message.contains("no password supplied"):
                "give it in ~/.pgpass, PGPASSWORD, or the URL in ASSAY_DATABASE_URL"
            case nil:
                configuration.isLocal ? Self.startHint : "check that the server runs there and can be reached from here"
            default: nil
            }
        self.init(
            .connectionFailed, "cannot connect to \(configuration): \(lines.joined(separator: "; "))",
            sqlState: state, hint: hint)
    }

    /// What several servers said, in one error.
    fileprivate init(connecting errors: [PostgresError]) {
        self = errors.last ?? PostgresError(.connectionFailed, "no server to connect to")
        guard errors.count > 1 else { return }
        var messages: [String] = []
        for error in errors where !messages.contains(error.message) { messages.append(error.message) }
        self.message = messages.joined(separator: "; ")
    }

    /// Another server of the list may do: this one is away, starting, or a standby.
    ///
    /// A refused password is not tried elsewhere.
    fileprivate var mayLieElsewhere: Bool {
        guard self.code == .connectionFailed || self.code == .timedOut else { return false }
        return self.sqlState.map { $0.hasPrefix("57P0") || $0.hasPrefix("53") } ?? true
    }
}
