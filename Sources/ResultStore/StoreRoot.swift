import Glibc
import HDF5

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The store's root, opened once: everything in the store is reached through its descriptor.
///
/// By path it might be another folder from one moment to the next: the empty one below a file system that was unmounted.
@HDF5Actor
final class StoreRoot {
    nonisolated let path: String
    nonisolated let identity: StoreIdentity
    private var held: Folder
    /// Places whose names may not be on the disk: flushing their folder failed, and the system reports that only once.
    ///
    /// Other processes do not know of it: a name that is new is taken back, see `TemporaryFile.commit`.
    private var doubtful: Set<String> = []

    /// Opens a store that is there.
    init(_ path: String) throws(StoreError) {
        let folder = try Folder.root(path)
        guard let identity = try StoreIdentity.read(in: folder) else { throw Self.noStore(path) }
        self.path = path
        self.identity = identity
        self.held = folder
    }

    /// Opens a folder of the store, making what is missing if asked to.
    func folder(_ components: [String] = [], create: Bool = false) throws(StoreError) -> Folder {
        try self.held.folder(components, create: create)
    }

    /// Throws unless the store still stands at its path and still is this one.
    ///
    /// To be called before anything is written or removed. A store that was mounted again is opened again.
    func check() throws(StoreError) {
        let found: StoreIdentity?
        do {
            let there = try Folder.root(self.path)
            found = try StoreIdentity.read(in: there)
            if found == self.identity, try there.inode() != self.held.inode() { self.held = there }
        } catch  where error.code == .unusableStore || error.code == .missing {
            throw self.away(error.message)
        }
        guard let found else { throw self.away("the folder there is no store; its file system is not mounted.") }
        guard found.store == self.identity.store else {
            throw self.away("another store (\(found.store.short)) lies there instead of \(self.identity.store.short).")
        }
        guard found.database == self.identity.database else {
            throw StoreError(
                .unusableStore, path: self.path,
                "the store was adopted by another database meanwhile (\(found.database?.short ?? "none")); "
                    + "nothing was written. Stop what uses this one, or adopt the store again with `assay store adopt`."
            )
        }
    }

    private func away(_ reason: String) -> StoreError {
        StoreError(
            .unavailableStore, path: self.path,
            "the store that was opened is not there any more: \(reason) Nothing was written; mount it again.")
    }

    static func noStore(_ path: String) -> StoreError {
        StoreError(
            .unusableStore, path: path,
            "this folder is no store, since it has no \(StoreIdentity.fileName). If its file system is not mounted, mount it; "
                + "if it is to be this database's store (or was made by an older release), run `assay store adopt`.")
    }

    // MARK: Names

    /// Whether a file that has the right content stands there durably, or can be made to.
    func isDurable(_ name: String, in folder: borrowing Folder) -> Bool {
        let place = "\(folder.path)/\(name)"
        guard !self.doubtful.contains(place) else { return false }
        do throws(StoreError) {
            try folder.flush(name)
            try folder.flush()
            return true
        } catch {
            self.doubtful.insert(place)
            return false
        }
    }

    /// Gives a flushed file its name, durably; a name of which that is not sure is not trusted when it is seen again.
    func commit(_ file: consuming TemporaryFile, as name: String, in folder: borrowing Folder) throws(StoreError) {
        let place = "\(folder.path)/\(name)"
        do {
            try file.commit(as: name)
        } catch {
            self.doubtful.insert(place)
            throw error
        }
        self.doubtful.remove(place)
    }
}

/// Who a store is, and whose: the content of `<root>/.assay-store`.
///
/// A folder without it is no store. A file system that is not mounted leaves an empty folder behind, which nothing else
/// tells from a new store.
public struct StoreIdentity: Sendable, Hashable {
    /// Drawn once, when the store is made.
    public var store: UUID
    /// Drawn by the database that adopted the store last; nil before the first one does.
    public var database: UUID?

    public init(store: UUID, database: UUID? = nil) {
        self.store = store
        self.database = database
    }

    /// The file in a store's root that says who it is.
    public static let fileName = ".assay-store"
    private static let format = "assay-store"

    private struct Content: Codable {
        var format: String
        var uuid: UUID
        var database: UUID?
    }

    /// Reads the identity of the store in this folder; nil if it has none.
    static func read(in folder: borrowing Folder) throws(StoreError) -> StoreIdentity? {
        guard try folder.status(Self.fileName) != nil else { return nil }
        let bytes = try folder.read(Self.fileName, limit: 4096)
        guard let content = try? JSONDecoder().decode(Content.self, from: Data(bytes)), content.format == Self.format
        else {
            throw StoreError(
                .malformed, path: "\(folder.path)/\(Self.fileName)",
                "this is no store's identity; restore the file from a copy, or remove it and run `assay store adopt`.")
        }
        return StoreIdentity(store: content.uuid, database: content.database)
    }

    /// Writes the identity, over one that is there if `replacing`; answers the one that is there afterwards.
    func write(in folder: borrowing Folder, replacing: Bool) throws(StoreError) -> StoreIdentity {
        let file = try TemporaryFile(for: "identity", in: folder)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let content = Content(format: Self.format, uuid: self.store, database: self.database)
        guard let bytes = try? encoder.encode(content) else {
            throw StoreError(.invalidInput, path: folder.path, "the identity can't be written as JSON.")
        }
        try file.write(Array(bytes) + [UInt8(ascii: "\n")])
        try file.flush()
        if replacing {
            try file.commit(as: Self.fileName)
        } else if try !file.commit(asNew: Self.fileName), let other = try Self.read(in: folder) {
            return other
        }
        return self
    }
}

extension UUID {
    /// Enough of it to tell it from others, for messages.
    var short: String { String(self.uuidString.lowercased().prefix(8)) }
}
