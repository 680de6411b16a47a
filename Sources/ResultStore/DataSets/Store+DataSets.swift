import Crypto
import Glibc
import HDF5

extension Store {
    /// Copies a data set into the store, once, and returns its SHA-256, by which it is named.
    ///
    /// One that is there already is read and verified. Throws `noSpace`, or `corrupt` if the one there is damaged.
    public func importDataSet(bytes: [UInt8]) async throws(StoreError) -> String {
        try await self.importDataSet(bytes)
    }

    /// Copies the data set in the regular file at `path` into the store, once, and returns its SHA-256.
    public func importDataSet(file path: String) async throws(StoreError) -> String {
        try await self.importFile(path)
    }

    /// The bytes of a data set; throws `missing`, or `corrupt` if they do not have this SHA-256.
    public func dataSet(sha256: String) async throws(StoreError) -> [UInt8] {
        try await self.readDataSet(sha256)
    }

    @HDF5Actor
    private func importDataSet(_ bytes: [UInt8]) throws(StoreError) -> String {
        let sha256 = SHA256Text.of(bytes)
        try self.place.check()
        let folder = try self.place.folder([Layout.datasets], create: true)
        guard try !self.verify(sha256, in: folder) else { return sha256 }
        let file = try TemporaryFile(for: sha256, in: folder)
        try file.write(bytes)
        try self.commit(file, sha256: sha256, in: folder)
        return sha256
    }

    @HDF5Actor
    private func importFile(_ path: String) throws(StoreError) -> String {
        let source = try OpenFile(path: path)
        try self.place.check()
        let folder = try self.place.folder([Layout.datasets], create: true)
        let file = try TemporaryFile(for: "import", in: folder)
        var hasher = SHA256()
        try source.readAll { (part) throws(StoreError) in
            part.withUnsafeBytes { hasher.update(bufferPointer: $0) }
            try file.write(part)
        }
        let sha256 = SHA256Text.text(hasher.finalize())
        guard try !self.verify(sha256, in: folder) else { return sha256 }
        try self.commit(file, sha256: sha256, in: folder)
        return sha256
    }

    /// Whether the data set is there, durably; throws if it is damaged.
    @HDF5Actor
    private func verify(_ sha256: String, in folder: borrowing Folder) throws(StoreError) -> Bool {
        let name = try Layout.dataSet(sha256).name
        guard try folder.status(name) != nil else { return false }
        guard try folder.sha256(name).sha256 == sha256 else {
            throw StoreError(
                .corrupt, path: "\(folder.path)/\(name)",
                "the data set is damaged: its SHA-256 is not its name. Move it away and import the data set again.")
        }
        // It is wanted again: garbage collection counts from now. Another user's can't be touched, nor need it be, since
        // a process that names a data set checks afterwards that it is there.
        utimensat(folder.descriptor, name, nil, AT_SYMLINK_NOFOLLOW)
        return self.place.isDurable(name, in: folder)
    }

    @HDF5Actor
    private func commit(
        _ file: consuming TemporaryFile, sha256: String, in folder: borrowing Folder
    ) throws(StoreError) {
        try file.flush()
        guard try folder.sha256(file.name).sha256 == sha256 else {
            throw StoreError(
                .corrupt, path: "\(folder.path)/\(file.name)",
                "what was written could not be read back; nothing was kept.")
        }
        try self.place.commit(file, as: try Layout.dataSet(sha256).name, in: folder)
    }

    @HDF5Actor
    private func readDataSet(_ sha256: String) throws(StoreError) -> [UInt8] {
        let path = try Layout.dataSet(sha256)
        let folder = try self.place.folder(path.folder)
        // A collection may have died after it put aside what it was to put back. A data set that is read is needed.
        if try folder.status(path.name) == nil, try folder.status(Layout.dataSetAside(sha256)) != nil {
            try self.place.check()
            try self.putBack(sha256, in: folder)
        }
        return try folder.read(path.name, sha256: sha256)
    }
}
