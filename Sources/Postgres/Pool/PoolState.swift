/// The pool's bookkeeping, without connections or tasks.
///
/// Every slot is idle, in use, or being opened; slots in use or being opened belong to one caller.
struct PoolState {
    typealias Slot = Int
    typealias Ticket = Int

    enum Lease: Equatable {
        /// An idle connection; the caller checks it.
        case use(Slot)
        /// The caller opens a connection for this slot.
        case open(Slot)
    }

    enum Answer: Equatable {
        case lease(Lease)
        case wait(Ticket)
        case refused
    }

    /// What follows from a slot's return.
    enum Handover: Equatable {
        /// The longest waiting caller gets the lease.
        case give(Lease, to: Ticket)
        case none
    }

    let size: Int
    /// The most recently used one is at the end and goes first, so that the others can be closed.
    private var idle: [Slot] = []
    private var leased: Set<Slot> = []
    private var waiters: [Ticket] = []
    private var lastTicket = 0
    private(set) var isShutDown = false
    /// Goes before the most recently used one: the slot whose connection is kept open in any case.
    var preferred: Slot?

    init(size: Int) { self.size = max(1, size) }

    var leasedCount: Int { self.leased.count }
    var idleSlots: [Slot] { self.idle }
    var waiterCount: Int { self.waiters.count }

    mutating func request() -> Answer {
        if self.isShutDown { return .refused }
        if self.waiters.isEmpty, let lease = self.nextLease() { return .lease(lease) }
        self.lastTicket += 1
        self.waiters.append(self.lastTicket)
        return .wait(self.lastTicket)
    }

    /// A connection comes back in good order.
    mutating func giveBack(_ slot: Slot) -> Handover {
        guard self.leased.remove(slot) != nil else { return .none }
        self.idle.append(slot)
        return self.handOver()
    }

    /// A leased connection is gone, or could not be opened.
    mutating func discard(_ slot: Slot) -> Handover {
        guard self.leased.remove(slot) != nil else { return .none }
        return self.handOver()
    }

    /// Takes an idle slot out of use; false when it is not idle any more.
    mutating func retire(_ slot: Slot) -> Bool {
        guard let index = self.idle.firstIndex(of: slot) else { return false }
        self.idle.remove(at: index)
        return true
    }

    /// A caller waits no longer; false when it has been given a lease already.
    mutating func withdraw(_ ticket: Ticket) -> Bool {
        guard let index = self.waiters.firstIndex(of: ticket) else { return false }
        self.waiters.remove(at: index)
        return true
    }

    /// Refuses from now on; returns the idle slots to close and the callers to turn away.
    mutating func shutDown() -> (idle: [Slot], waiters: [Ticket]) {
        self.isShutDown = true
        defer {
            self.idle = []
            self.waiters = []
        }
        return (self.idle, self.waiters)
    }

    private mutating func handOver() -> Handover {
        guard !self.waiters.isEmpty, let lease = self.nextLease() else { return .none }
        return .give(lease, to: self.waiters.removeFirst())
    }

    private mutating func nextLease() -> Lease? {
        if let slot = self.preferred.flatMap({ self.retire($0) ? $0 : nil }) ?? self.idle.popLast() {
            self.leased.insert(slot)
            return .use(slot)
        }
        guard let slot = (0..<self.size).first(where: { !self.leased.contains($0) && !self.idle.contains($0) })
        else { return nil }
        self.leased.insert(slot)
        return .open(slot)
    }
}
