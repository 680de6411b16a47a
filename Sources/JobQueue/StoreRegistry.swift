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

    public func validate() throws(QueueError) {
        try QueueError.check(reason, "the reason for taking a result out", 1...2000)
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

    public init(
        shard: Int, epoch: Epoch, path: String, bytes: Int64, sha256: String, digest: String, reason: String,
        user: String, withdrawnAt: Date
    ) {
        self.shard = shard
        self.epoch = epoch
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
        self.digest = digest
        self.reason = reason
        self.user = user
        self.withdrawnAt = withdrawnAt
    }
}

/// Which database a queue lies in, and the store that it belongs to.
public struct DatabaseIdentity: Sendable, Hashable {
    /// The server's cluster, as initdb drew it; a standby has its primary's.
    public var systemIdentifier: Int64
    /// The database within the cluster; a restored copy has another one.
    public var databaseOID: Int64
    public var databaseName: String
    /// The store that was adopted last; nil before the first one.
    public var adoption: StoreAdoption?

    public init(systemIdentifier: Int64, databaseOID: Int64, databaseName: String, adoption: StoreAdoption?) {
        self.systemIdentifier = systemIdentifier
        self.databaseOID = databaseOID
        self.databaseName = databaseName
        self.adoption = adoption
    }

    /// How this database and a store stand to each other.
    ///
    /// - Parameters:
    ///   - store: The store's own identity.
    ///   - owner: The database that the store says it belongs to.
    public func tie(to store: UUID, owner: UUID?) -> StoreTie {
        guard let adoption else { return owner == nil ? .unowned : .ownedByAnotherDatabase }
        guard adoption.systemIdentifier == systemIdentifier, adoption.databaseOID == databaseOID else {
            return .copyOfAnotherDatabase
        }
        guard adoption.store == store else { return .anotherStore }
        guard let owner else { return .halfTied }
        return owner == adoption.database ? .tied : .ownedByAnotherDatabase
    }
}

/// A store's adoption by a database.
public struct StoreAdoption: Sendable, Hashable {
    public var store: UUID
    /// Drawn for this adoption; the store remembers it.
    public var database: UUID
    /// Of the database that adopted.
    public var systemIdentifier: Int64
    public var databaseOID: Int64
    /// Where the store lay for who adopted it.
    public var path: String
    public var user: String
    public var adoptedAt: Date

    public init(
        store: UUID, database: UUID, systemIdentifier: Int64, databaseOID: Int64, path: String, user: String,
        adoptedAt: Date
    ) {
        self.store = store
        self.database = database
        self.systemIdentifier = systemIdentifier
        self.databaseOID = databaseOID
        self.path = path
        self.user = user
        self.adoptedAt = adoptedAt
    }
}

/// How a database and a store stand to each other.
public enum StoreTie: Sendable, Hashable {
    /// They name each other.
    case tied
    /// The database names the store; the store does not say yet whose it is.
    case halfTied
    /// Both are new.
    case unowned
    /// The database names another store.
    case anotherStore
    /// The store names another database, or an earlier adoption by this one.
    case ownedByAnotherDatabase
    /// The adoption in the database is that of another database, of which this one is a copy.
    case copyOfAnotherDatabase
}

extension StoreAdoption {
    /// Throws `invalid` where the store's path or the user's name can't be stored.
    public static func check(path: String, user: String) throws(QueueError) {
        try QueueError.check(path, "the store's path", 1...4096)
        try QueueError.check(user, "the user's name", 1...200)
    }
}
