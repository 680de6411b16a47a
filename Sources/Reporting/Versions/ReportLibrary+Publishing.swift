extension ReportLibrary {
    /// Publishes `files` as the next version of their report, unless an intact version with the very same files exists.
    ///
    /// The version appears at once and complete: it is written to a folder of another name, synced, and renamed.
    public func publish(_ files: ReportFiles) throws(ReportError) -> PublishedReport {
        let name = files.report.name
        let folder = self.folder(of: name)
        for version in try self.versions(of: name).reversed() {
            guard try self.isSame(files, name, version) else { continue }
            // Who published it may have died before it was on the disk.
            try self.sync(files, name, version)
            return self.published(name, version, isNew: false)
        }

        for path in [self.root, folder] { try Disk.makeFolder(path) }
        let draft = "\(folder)/\(Self.draftPrefix)\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try Disk.makeFolder(draft, isNew: true)
        // Does nothing once the draft has become a version.
        defer { Disk.remove(draft) }
        self.removeLeftovers(in: folder, beside: draft)
        for (file, content) in files.contents.sorted(by: { $0.key < $1.key }) {
            try Disk.write(content, to: "\(draft)/\(file)")
        }
        try Disk.syncFolder(draft)

        while true {
            let version = (try self.versions(of: name).last ?? 0) + 1
            let path = self.path(of: name, version: version)
            if try Disk.rename(draft, to: path) {
                do throws(ReportError) {
                    try Disk.syncFolder(folder)
                    try Disk.syncFolder(self.root)
                } catch {
                    // A name that may not be on the disk is not left: that it could not be synced is reported only once.
                    _ = try? Disk.rename(path, to: draft)
                    throw error
                }
                return self.published(name, version, isNew: true)
            }
            // Another builder was faster, perhaps with the same files.
            if try self.isSame(files, name, version) {
                try self.sync(files, name, version)
                return self.published(name, version, isNew: false)
            }
            guard try self.versions(of: name).contains(version) else {
                throw ReportError(
                    .fileSystem, "\(self.path(of: name, version: version)) is in the way and not a report; remove it")
            }
        }
    }

    private func sync(_ files: ReportFiles, _ name: ReportName, _ version: Int) throws(ReportError) {
        let path = self.path(of: name, version: version)
        for file in files.contents.keys.sorted() { try Disk.syncFile("\(path)/\(file)") }
        for folder in [path, self.folder(of: name), self.root] { try Disk.syncFolder(folder) }
    }

    static let draftPrefix = ".building-"
    /// Drafts this much older than a new one are left over from builders that died, in seconds.
    static let draftLifetime = 3600

    /// Whether a version is intact and has the very same files.
    private func isSame(_ files: ReportFiles, _ name: ReportName, _ version: Int) throws(ReportError) -> Bool {
        let path = "\(self.path(of: name, version: version))/\(ReportManifest.fileName)"
        guard let ours = files.contents[ReportManifest.fileName] else { return false }
        do {
            guard try Disk.read(path, limit: ours.count) == ours else { return false }
            _ = try self.verify(name, version: version)
            return true
        } catch  where error.code == .damaged {
            return false
        }
    }

    /// Removes what builders that died left behind; ages are told by the file system's own clock.
    private func removeLeftovers(in folder: String, beside draft: String) {
        guard let now = Disk.modificationTime(of: draft), let entries = try? Disk.entries(of: folder) else { return }
        for entry in entries where entry.hasPrefix(Self.draftPrefix) {
            let path = "\(folder)/\(entry)"
            guard let time = Disk.modificationTime(of: path), time < now - Self.draftLifetime else { continue }
            Disk.remove(path)
        }
    }

    private func published(_ name: ReportName, _ version: Int, isNew: Bool) -> PublishedReport {
        .init(name: name, version: version, path: self.path(of: name, version: version), isNew: isNew)
    }
}
