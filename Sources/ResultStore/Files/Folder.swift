import Glibc

/// An open folder of the store; everything below it is reached through its descriptor, without following links.
struct Folder: ~Copyable {
    let descriptor: Int32
    /// For messages, and for libhdf5 where it must open by path.
    let path: String

    deinit {
        Glibc.close(self.descriptor)
    }

    /// Opens the store's root, which may itself be a link: its place is the operator's choice.
    static func root(_ path: String) throws(StoreError) -> Folder {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unusable(errno, path: path) }
        return Folder(descriptor: descriptor, path: path)
    }

    /// Opens a folder below, making what is missing if asked to.
    func folder(_ components: [String], create: Bool = false) throws(StoreError) -> Folder {
        guard let first = components.first else {
            let copy = fcntl(self.descriptor, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { throw .system(errno, "opening the folder", path: self.path) }
            return Folder(descriptor: copy, path: self.path)
        }
        let path = "\(self.path)/\(first)"
        if create { try self.make(first) }
        let descriptor = openat(self.descriptor, first, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno, "opening the folder", path: path) }
        let child = Folder(descriptor: descriptor, path: path)
        return try child.folder(Array(components.dropFirst()), create: create)
    }

    /// Makes a folder that all who use this one can use, durably; one that is there already is fine.
    private func make(_ name: String) throws(StoreError) {
        let path = "\(self.path)/\(name)"
        guard insisting({ mkdirat(self.descriptor, name, 0o777) }) == 0 else {
            guard errno == EEXIST else { throw .system(errno, "making the folder", path: path) }
            // Another process has made it and may have died before flushing: the name must survive a power cut before
            // anything below it is reported as durable.
            return try self.flush()
        }
        do throws(StoreError) {
            let descriptor = openat(self.descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0 else { throw .system(errno, "opening the folder", path: path) }
            defer { Glibc.close(descriptor) }
            try self.handDown(to: descriptor, path: path)
            try self.flush()
        } catch {
            // A flush that failed is reported once: the next try must make the name again, not find it.
            unlinkat(self.descriptor, name, AT_REMOVEDIR)
            throw error
        }
    }

    /// Makes a new file or folder in this one as accessible as this one.
    func handDown(to descriptor: Int32, path: String) throws(StoreError) {
        let number = SharedMode.handDown(from: self.descriptor, to: descriptor)
        guard number == 0 else { throw .system(number, "setting the mode", path: path) }
    }

    /// Which folder this is, on this machine.
    func inode() throws(StoreError) -> [UInt64] {
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else {
            throw .system(errno, "looking at the folder", path: self.path)
        }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }

    /// Puts a file's bytes on the disk, no matter which process wrote them.
    func flush(_ name: String) throws(StoreError) {
        let path = "\(self.path)/\(name)"
        let descriptor = openat(self.descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(errno, "opening the file", path: path) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(errno, "flushing the file", path: path) }
    }

    /// Puts the names in this folder on the disk.
    func flush() throws(StoreError) {
        // Some network file systems cannot flush a folder and say EINVAL; their names are durable when made.
        guard fsync(self.descriptor) == 0 || errno == EINVAL else {
            throw .system(errno, "flushing the folder", path: self.path)
        }
    }

    /// What is known of an entry; `nil` if there is none of this name.
    func status(_ name: String) throws(StoreError) -> stat? {
        var status = stat()
        if fstatat(self.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
        guard errno == ENOENT else { throw .system(errno, "looking for the file", path: "\(self.path)/\(name)") }
        return nil
    }

    /// The names of all entries, in no order.
    func names() throws(StoreError) -> [String] {
        let copy = openat(self.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            let number = errno
            if copy >= 0 { Glibc.close(copy) }
            throw .system(number, "listing the folder", path: self.path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            // In its place: an entry is as long as its name, and a copy of all 256 bytes would read past the last one.
            let name = withUnsafeMutablePointer(to: &entry.pointee.d_name) { place in
                String(validatingCString: UnsafeRawPointer(place).assumingMemoryBound(to: CChar.self))
            }
            if let name, name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw .system(errno, "listing the folder", path: self.path) }
        return names
    }

    /// Renames a file; one that is gone already is no error.
    func rename(_ name: String, to new: String) throws(StoreError) {
        guard renameat(self.descriptor, name, self.descriptor, new) == 0 || errno == ENOENT else {
            throw .system(errno, "renaming the file to \(new)", path: "\(self.path)/\(name)")
        }
    }

    /// Removes a folder if it is empty.
    func removeFolder(_ name: String) throws(StoreError) {
        guard unlinkat(self.descriptor, name, AT_REMOVEDIR) == 0 || [ENOENT, ENOTEMPTY, EEXIST].contains(errno) else {
            throw .system(errno, "removing the folder", path: "\(self.path)/\(name)")
        }
    }

    /// Removes a file; one that is gone already is no error.
    func remove(_ name: String) throws(StoreError) {
        guard unlinkat(self.descriptor, name, 0) == 0 || errno == ENOENT else {
            throw .system(errno, "removing the file", path: "\(self.path)/\(name)")
        }
    }
}

/// Repeats a call that makes something while it is refused, for a fifth of a second.
///
/// A folder that another user makes is open to others only a moment after it is there.
func insisting(_ call: () -> Int32) -> Int32 {
    var result = call()
    for _ in 0..<20 where result < 0 && errno == EACCES {
        usleep(10_000)
        result = call()
    }
    return result
}

extension StoreError {
    /// The error for a root that cannot be used as the store.
    static func unusable(_ number: Int32, path: String) -> StoreError {
        if Self.isAway(number) { return .system(number, "opening the store", path: path) }
        let reason =
            switch number {
            case ENOENT: "there is no such folder"
            case ENOTDIR: "it is not a folder"
            case EACCES, EPERM: "this user may not read and write there"
            case EROFS: "the file system is read-only"
            default: String(cString: strerror(number))
            }
        return StoreError(
            .unusableStore, path: path,
            "the store cannot be used: \(reason). Point ASSAY_STORE to a folder that this user can write.")
    }
}

extension stat {
    var isFile: Bool { self.st_mode & S_IFMT == S_IFREG }
    var isFolder: Bool { self.st_mode & S_IFMT == S_IFDIR }
}
