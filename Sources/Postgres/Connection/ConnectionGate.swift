/// Names a transaction, so that its statements can be told from others on the same connection.
struct TransactionToken: Hashable, Sendable {
    /// The transactions that the current task works in, on different connections.
    @TaskLocal static var held: Set<TransactionToken> = []

    private let connection: ObjectIdentifier
    private let number: Int

    init(_ connection: AnyObject, number: Int) {
        self.connection = ObjectIdentifier(connection)
        self.number = number
    }
}

/// Decides who may use the connection: one operation at a time, first come first served, and while a transaction is
/// open only operations of that transaction.
struct ConnectionGate {
    typealias Ticket = Int

    enum Admission: Equatable {
        case admitted
        /// The ticket will be handed out by ``release()``.
        case queued(Ticket)
    }

    private(set) var isBusy = false
    private(set) var transaction: TransactionToken?
    private var queue: [(ticket: Ticket, held: Set<TransactionToken>)] = []
    private var lastTicket = 0

    mutating func request(_ held: Set<TransactionToken>) -> Admission {
        if !self.isBusy, self.admits(held) {
            self.isBusy = true
            return .admitted
        }
        self.lastTicket += 1
        self.queue.append((self.lastTicket, held))
        return .queued(self.lastTicket)
    }

    /// Ends the running operation; the next one, if any, runs from now on.
    mutating func release() -> Ticket? {
        self.isBusy = false
        guard let index = self.queue.firstIndex(where: { self.admits($0.held) }) else { return nil }
        self.isBusy = true
        return self.queue.remove(at: index).ticket
    }

    /// Forgets a queued operation; false when it is not queued any more, that is, it runs.
    mutating func withdraw(_ ticket: Ticket) -> Bool {
        guard let index = self.queue.firstIndex(where: { $0.ticket == ticket }) else { return false }
        self.queue.remove(at: index)
        return true
    }

    /// The running operation has opened a transaction.
    mutating func beginTransaction(_ token: TransactionToken) { self.transaction = token }

    /// The running operation has ended the transaction.
    mutating func endTransaction() { self.transaction = nil }

    private func admits(_ held: Set<TransactionToken>) -> Bool {
        self.transaction.map { held.contains($0) } ?? true
    }
}
