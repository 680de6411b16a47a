import Glibc

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

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
