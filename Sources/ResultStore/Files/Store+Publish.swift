import HDF5

extension Store {
    /// Puts bytes under a name in the store: temporary file, flush, read back, verify, rename, flush of the folder.
    ///
    /// `isGood` judges the bytes that were read back.
    @HDF5Actor
    func publish(
        _ bytes: [UInt8], at path: StorePath, digest: String, replacing: Bool = false,
        isGood: ([UInt8]) throws(StoreError) -> Bool
    ) throws(StoreError) -> PublishedFile {
        try self.place.check()
        let folder = try self.place.folder(path.folder, create: true)
        let sha256 = SHA256Text.of(bytes)
        let published = PublishedFile(path: path.text, bytes: bytes.count, sha256: sha256, digest: digest)
        if try folder.status(path.name) != nil {
            if try folder.sha256(path.name).sha256 != sha256 {
                guard replacing else {
                    throw StoreError(
                        .conflict, path: "\(folder.path)/\(path.name)",
                        "a different file has this name already; published files never change.")
                }
            } else if self.place.isDurable(path.name, in: folder) {
                return published
            }
            // What may not be on the disk is written again: that it could not be flushed is reported only once.
        }
        let file = try TemporaryFile(for: path.name, in: folder)
        try file.write(bytes)
        try file.flush()
        let written = try folder.read(file.name)
        guard written == bytes, try isGood(written) else {
            throw StoreError(
                .corrupt, path: "\(folder.path)/\(file.name)",
                "what was written reads back differently; nothing was kept. Check the disk and the file system.")
        }
        try self.place.commit(file, as: path.name, in: folder)
        return published
    }
}
