public import FoundationEssentials

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
