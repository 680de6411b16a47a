internal import FoundationEssentials
internal import JobQueue
public import ResultStore

extension Session {
    /// The result store of the settings; throws `unusableStore` unless it and the database belong to each other.
    public func store(_ access: Store.Access = .readWrite) async throws(StoreError) -> Store {
        try await StoreBinding(self).open(access)
    }

    /// The same, but nothing is made, whatever is missing.
    public func existingStore(_ access: Store.Access = .readWrite) async throws(StoreError) -> Store {
        try await StoreBinding(self).open(access, makesOwn: false)
    }

    /// Makes the folder `root` a store and this database's only one; throws unless both are new.
    public func createStore(at root: String) async throws -> Store {
        try await StoreBinding(self).create(root)
    }

    /// What adopting the store in the folder `root` would change for others; empty if nothing would.
    public func objections(toAdopting root: String) async throws -> [String] {
        try await StoreBinding(self).objections(to: root)
    }

    /// Ties the folder `root` to this database, even if it belonged to another; a folder that is no store becomes one.
    public func adoptStore(at root: String) async throws -> Store {
        try await StoreBinding(self).adopt(root)
    }
}

/// That a session's store and database belong to each other.
///
/// A database that sees another's files would take them for garbage, and a store that is not the database's has none of
/// its results.
struct StoreBinding {
    let settings: Settings
    let queue: any JobQueue
    let user: String

    init(_ session: Session) {
        self.settings = session.settings
        self.queue = session.queue
        self.user = session.userName
    }

    func open(_ access: Store.Access, makesOwn: Bool = true) async throws(StoreError) -> Store {
        let root = self.settings.store.value
        if makesOwn { try await self.makeOwn(root) }
        // Nothing is made in a store before it is known to be this database's.
        let store: Store
        do {
            store = try await Store(root: root, access: .read)
        } catch {
            throw try await self.explained(error, root)
        }
        let database = try await self.database(root)
        switch database.tie(to: store.identity.store, owner: store.identity.database) {
        case .tied:
            if access == .readWrite { try await store.prepareForWriting() }
            return store
        case .halfTied:
            // Who adopted it died before the store knew.
            guard access == .readWrite, let adoption = database.adoption else { return store }
            return try await Store.adopt(root: root, database: adoption.database)
        case let tie: throw Self.refusal(tie, store, database)
        }
    }

    // MARK: Making

    /// The default store of an embedded server is made with it, and adopted: both are the same user's, in one folder.
    private func makeOwn(_ root: String) async throws(StoreError) {
        guard self.settings.store.source == .default, self.settings.databaseURL == nil else { return }
        guard try await self.database(root).adoption == nil else { return }
        let known = try await Store.identity(root: root)
        guard known?.database == nil else { return }
        // A folder without results, where the database has some, is not the one that they are in.
        guard try await self.fits(root) else { return }
        try? FileManager.default.createDirectory(atPath: self.settings.home.value, withIntermediateDirectories: true)
        let made = try await Store.create(root: root).identity.store
        let adoption = try await self.adoption(of: made, root, onlyFirst: true)
        if adoption.store == made { _ = try await Store.adopt(root: root, database: adoption.database) }
    }

    func create(_ root: String) async throws -> Store {
        if let known = try await Store.identity(root: root) {
            throw UserError(
                "\(root) is a store already (\(Self.name(known.store)))",
                hint: "make it this database's with `assay store adopt \(root)`, or give another folder")
        }
        let database = try await self.database(root)
        // A copy of another database does not belong to that one's store.
        if let adoption = database.adoption,
            database.tie(to: adoption.store, owner: adoption.database) != .copyOfAnotherDatabase
        {
            throw UserError(
                "this database has a store already: \(Self.name(adoption.store)), \(Self.origin(adoption))",
                hint:
                    "results can't be spread over two; to move them, copy the folder and run `assay store adopt` on the copy"
            )
        }
        let made = try await Store.create(root: root).identity.store
        let adoption = try await self.adoption(of: made, root, onlyFirst: database.adoption == nil)
        guard adoption.store == made else {
            throw UserError("another store was given to this database meanwhile: \(Self.name(adoption.store))")
        }
        return try await Store.adopt(root: root, database: adoption.database)
    }

    func objections(to root: String) async throws -> [String] {
        let database = try await self.database(root)
        let known = try await Store.identity(root: root)
        var objections: [String] = []
        if let owner = known?.database, owner != database.adoption?.database {
            objections.append(
                "the store belongs to another database (\(Self.name(owner))): that one will not be able to use it any more"
            )
        }
        if let known, database.tie(to: known.store, owner: known.database) == .copyOfAnotherDatabase {
            objections.append(
                "this database is a copy of the one that the store belongs to: that one will not be able to use it any more"
            )
        }
        if let adoption = database.adoption, adoption.store != known?.store {
            objections.append(
                "this database belongs to store \(Self.name(adoption.store)), \(Self.origin(adoption)): its results are there"
            )
        }
        if try await !self.fits(root) {
            objections.append("the database has runs, and there are none in \(root): is its file system mounted?")
        }
        return objections
    }

    func adopt(_ root: String) async throws -> Store {
        let store = try await Store.adopt(root: root, database: UUID())
        let adoption = try await self.adoption(of: store.identity.store, root, onlyFirst: false)
        return try await Store.adopt(root: root, database: adoption.database)
    }

    /// Whether the folder holds results if the database has runs.
    private func fits(_ root: String) async throws(StoreError) -> Bool {
        try await self.hasNoRuns(root) || FileManager.default.fileExists(atPath: "\(root)/runs")
    }

    private func hasNoRuns(_ root: String) async throws(StoreError) -> Bool {
        do throws(QueueError) {
            return try await self.queue.runs(limit: 1, project: nil).isEmpty
        } catch {
            throw Self.unknown(root, error)
        }
    }

    private func adoption(
        of store: UUID, _ root: String, onlyFirst: Bool
    ) async throws(StoreError) -> StoreAdoption {
        do throws(QueueError) {
            return try await self.queue.adoptStore(store, path: root, user: self.user, onlyFirst: onlyFirst)
        } catch {
            throw Self.unknown(root, error)
        }
    }

    private func database(_ root: String) async throws(StoreError) -> DatabaseIdentity {
        do throws(QueueError) {
            return try await self.queue.databaseIdentity()
        } catch {
            throw Self.unknown(root, error)
        }
    }

    // MARK: Words

    /// What to do where there is no store; any other error as it is.
    private func explained(_ error: StoreError, _ root: String) async throws(StoreError) -> StoreError {
        guard error.code == .unusableStore, case .some(.none) = try? await Store.identity(root: root) else {
            return error
        }
        let isFolder = FileManager.default.fileExists(atPath: root)
        let finding =
            isFolder ? "this folder is no store, since it has no \(StoreIdentity.fileName)" : "there is no such folder"
        let database = try await self.database(root)
        let advice: String
        if let adoption = database.adoption {
            let known = "\(Self.name(adoption.store)), \(Self.origin(adoption))"
            let isCopy = database.tie(to: adoption.store, owner: adoption.database) == .copyOfAnotherDatabase
            advice =
                isCopy
                ? ". This database is a copy of the one that store \(known), belongs to. If it replaces that one, run "
                    + "`assay store adopt` on the store; if not, make it a store of its own with `assay store create FOLDER`."
                : ". Mount its file system, or point ASSAY_STORE to the store of this database: \(known)"
                    + (isFolder ? "; if the results were moved here, run `assay store adopt`." : ".")
        } else {
            // Results of an older release lie in a folder that is no store yet: a new one would hide that it is not there.
            guard try await self.hasNoRuns(root) else { return error }
            advice =
                ", and this database has no store yet. Make one with `assay store create \(root)`, once the file system that it "
                + "is to lie on is mounted."
        }
        return StoreError(.unusableStore, path: root, finding + advice)
    }

    private static func unknown(_ root: String, _ error: QueueError) -> StoreError {
        StoreError(
            error.isTransient ? .unavailableStore : .unusableStore, path: root,
            "whether it is this database's store can't be told: \(error.message)")
    }

    private static func refusal(_ tie: StoreTie, _ store: Store, _ database: DatabaseIdentity) -> StoreError {
        let ours =
            "database \(database.databaseName) (oid \(database.databaseOID), system \(database.systemIdentifier))"
        let message =
            switch tie {
            case .tied, .halfTied, .unowned:
                "neither this store nor \(ours) has been given to the other yet; if they belong together, run "
                    + "`assay store adopt`."
            case .anotherStore:
                "this is store \(Self.name(store.identity.store)), but \(ours) belongs to store "
                    + "\(database.adoption.map { "\(Self.name($0.store)), \(Self.origin($0))" } ?? "none"). Point ASSAY_STORE "
                    + "to that one; if the results were moved here, run `assay store adopt`."
            case .ownedByAnotherDatabase:
                "store \(Self.name(store.identity.store)) belongs to another database "
                    + "(\(store.identity.database.map { Self.name($0) } ?? "none")) than \(ours), which is "
                    + "\(database.adoption.map { Self.name($0.database) } ?? "not known to any store"). Use a store of its own "
                    + "(`assay store create FOLDER`); if this database replaces that one, run `assay store adopt`."
            case .copyOfAnotherDatabase:
                "\(ours) is a copy of the one that store \(Self.name(store.identity.store)) belongs to "
                    + "(\(database.adoption.map { "oid \($0.databaseOID), system \($0.systemIdentifier)" } ?? "unknown")), and knows "
                    + "less than the store. Use a store of its own; if the copy replaces the original, run `assay store adopt`."
            }
        return StoreError(.unusableStore, path: store.root, message)
    }

    private static func name(_ uuid: UUID) -> String { String(uuid.uuidString.lowercased().prefix(8)) }

    private static func origin(_ adoption: StoreAdoption) -> String {
        "which \(adoption.user) adopted at \(adoption.path)"
    }
}
