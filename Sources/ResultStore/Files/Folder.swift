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
        if create {
            guard mkdirat(self.descriptor, first, 0o777) == 0 || errno == EEXIST else {
                throw .system(errno, "making the folder", path: path)
            }
            // Also where another process has made it and may have died before flushing: the name must survive a power
            // cut before anything below it is reported as durable.
            try self.flush()
        }
        let descriptor = openat(self.descriptor, first, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno, "opening the folder", path: path) }
        let child = Folder(descriptor: descriptor, path: path)
        return try child.folder(Array(components.dropFirst()), create: create)
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

    /// The names of all entries in byte order.
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
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let name, name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw .system(errno, "listing the folder", path: self.path) }
        return names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    /// Removes a file; one that is gone already is no error.
    func remove(_ name: String) throws(StoreError) {
        guard unlinkat(self.descriptor, name, 0) == 0 || errno == ENOENT else {
            throw .system(errno, "removing the file", path: "\(self.path)/\(name)")
        }
    }
}

extension StoreError {
    /// The error for a root that cannot be used as the store.
    static func unusable(_ number: Int32, path: String) -> StoreError {
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
