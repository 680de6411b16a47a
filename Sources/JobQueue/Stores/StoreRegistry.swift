public import FoundationEssentials

/// The store that the queue's results lie in, and results that count no more.
public protocol StoreRegistry: Sendable {
    /// Which database this is, and the store that it belongs to.
    func databaseIdentity() async throws(QueueError) -> DatabaseIdentity

    /// Ties the queue to a store from now on, and answers the adoption in force.
    ///
    /// - Parameters:
    ///   - path: Where the store lies for who adopts it.
    ///   - user: Who adopts it, for people.
    ///   - onlyFirst: A store that the queue belongs to already stays.
    func adoptStore(_ store: UUID, path: String, user: String, onlyFirst: Bool) async throws(QueueError)
        -> StoreAdoption

    /// What is known of claims that files name.
    ///
    /// - Returns: A verdict for each claim.
    func verdicts(on claims: [ClaimReference]) async throws(QueueError) -> [ClaimReference: ClaimVerdict]

    /// Takes committed results of a job out, so that their shards can be computed again; their rows are kept apart.
    ///
    /// A result that is another claim's than the one named stays.
    /// - Parameters:
    ///   - user: Who does it, for people.
    ///   - again: Shards become ready at once; else they are cancelled together with the job, until it is retried.
    /// - Returns: The numbers of the shards whose results were taken out.
    /// - Throws: `notFound`; `conflict` when the run is archived.
    func withdraw(
        _ results: [ResultWithdrawal], of job: JobID, user: String, again: Bool
    ) async throws(QueueError) -> [Int]

    /// What was taken out of a job, by shard and epoch.
    func withdrawnResults(of job: JobID) async throws(QueueError) -> [WithdrawnResult]

    /// Brings an archived run back to where it can be changed.
    ///
    /// - Returns: Whether it was archived.
    @discardableResult
    func restore(_ run: RunID) async throws(QueueError) -> Bool

    /// Every SHA-256 that a specification, a schedule or the registry of data sets names, whatever it stands for there.
    func namedHashes() async throws(QueueError) -> Set<String>
}

extension StoreRegistry {
    /// Those of `claims` whose results can never become visible, whatever anybody does from now on.
    public func deadClaims(among claims: [ClaimReference]) async throws(QueueError) -> Set<ClaimReference> {
        Set(try await verdicts(on: claims).filter { $0.value == .dead }.keys)
    }
}

/// What a queue knows of a claim that a file in the store names.
///
/// Only `dead` proves that the file is of no use: a database that was restored from a copy knows less than the store.
public enum ClaimVerdict: String, Sendable, Hashable, CaseIterable, Encodable {
    /// Its result is visible, or may become so.
    case alive
    /// Its result can never become visible: the shard was claimed again, or has another claim's result.
    case dead
    /// Its epoch is one that the queue has not seen: the queue is older than the store.
    case newer
    /// Its worker is one that the queue has not seen.
    case stranger
    /// Its shard is one that the queue has not seen: the store may be shared, or older.
    case unknown
}

/// A result that is to be taken out, and why.
public struct ResultWithdrawal: Sendable, Hashable {
    public var shard: Int
    public var epoch: Epoch
    public var incarnation: Incarnation
    /// For people: what is wrong with the file, or who removed it.
    public var reason: String

    public init(shard: Int, epoch: Epoch, incarnation: Incarnation, reason: String) {
        self.shard = shard
        self.epoch = epoch
        self.incarnation = incarnation
        self.reason = reason
    }

    public init(_ result: ShardResult, reason: String) {
        self.init(shard: result.key.index, epoch: result.epoch, incarnation: result.incarnation, reason: reason)
    }

    func validate() throws(QueueError) {
        try check(reason, "the reason for taking a result out", 1...2000)
    }
}

/// A result that was committed once and counts no more.
public struct WithdrawnResult: Sendable, Hashable, Encodable {
    public var shard: Int
    public var epoch: Epoch
    public var path: String
    public var bytes: Int64
    public var sha256: String
    public var digest: String
    public var reason: String
    public var user: String
    public var withdrawnAt: Date
}
