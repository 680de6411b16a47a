import Crypto
internal import Files
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

extension Folder {
    /// No file of the store is read into memory beyond this.
    static let sizeLimit = 4 << 30

    /// The bytes of a file, whole.
    func read(_ name: String, limit: Int = Folder.sizeLimit) throws(StoreError) -> [UInt8] {
        let file = try OpenFile(in: self, name: name)
        guard file.byteCount <= limit else {
            throw StoreError(
                .malformed, path: file.path, "the file has \(file.byteCount) bytes, more than the limit of \(limit).")
        }
        // One byte more than expected would show a file that grows.
        var bytes = [UInt8](repeating: 0, count: file.byteCount + 1)
        var filled = 0
        while filled < bytes.count {
            let count = try file.read(into: &bytes, from: filled)
            guard count > 0 else { break }
            filled += count
        }
        guard filled == file.byteCount else {
            throw StoreError(.corrupt, path: file.path, "the file changed while it was read.")
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// The bytes of a file whose hash is known.
    func read(_ name: String, sha256: String) throws(StoreError) -> [UInt8] {
        let bytes = try self.read(name)
        let found = SHA256.text(of: bytes)
        guard found == sha256 else {
            throw StoreError(
                .corrupt, path: "\(self.path)/\(name)",
                "the file's SHA-256 is \(found), published was \(sha256); it was changed or damaged. "
                    + "Restore it from a copy, or have it made again.")
        }
        return bytes
    }

    /// Size and hash of a file of any length.
    func sha256(_ name: String) throws(StoreError) -> (bytes: Int, sha256: String) {
        let file = try OpenFile(in: self, name: name)
        var (hasher, total) = (SHA256(), 0)
        try file.readAll { (part) throws(StoreError) in
            part.withUnsafeBytes { hasher.update(bufferPointer: $0) }
            total += part.byteCount
        }
        return (total, hasher.finalize().hexadecimal)
    }
}

/// A regular file open for reading.
struct OpenFile: ~Copyable {
    let path: String
    let byteCount: Int
    /// Open as long as this value lives.
    let descriptor: Int32

    /// Opens a file of the store, following no link.
    init(in folder: borrowing Folder, name: String) throws(StoreError) {
        let path = "\(folder.path)/\(name)"
        // Without O_NONBLOCK a pipe of this name would block for ever.
        try self.init(openat(folder.descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), path: path)
    }

    /// Opens a file of the user's.
    init(path: String) throws(StoreError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0, errno == EACCES {
            throw StoreError(.inputOutput, path: path, "opening the file failed: this user may not read it.")
        }
        try self.init(descriptor, path: path)
    }

    private init(_ descriptor: Int32, path: String) throws(StoreError) {
        guard descriptor >= 0 else { throw .system(errno, "opening the file", path: path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.isFile else {
            Glibc.close(descriptor)
            throw StoreError(.malformed, path: path, "this is no regular file.")
        }
        self.path = path
        self.byteCount = Int(status.st_size)
        self.descriptor = descriptor
    }

    deinit {
        Glibc.close(self.descriptor)
    }

    /// Reads some bytes into `buffer` from an index on; 0 at the end.
    borrowing func read(into buffer: inout [UInt8], from start: Int = 0) throws(StoreError) -> Int {
        let descriptor = self.descriptor
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
                return Glibc.read(descriptor, rest.baseAddress, rest.count)
            }
            if count >= 0 { return count }
            guard errno == EINTR else { throw .system(errno, "reading the file", path: self.path) }
        }
    }

    /// Gives all bytes to `body`, part after part.
    borrowing func readAll(_ body: (RawSpan) throws(StoreError) -> Void) throws(StoreError) {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try self.read(into: &buffer)
            guard count > 0 else { return }
            try body(buffer.span.bytes.extracting(first: count))
        }
    }
}

/// Several users work in one store, and none of them should have to think of it.
public enum SharedMode {
    /// Gives a new file or folder the group of the folder that it is in, and as much for others as that one has, whatever
    /// the umask; files are read-only.
    ///
    /// - Parameters:
    ///   - folder: The descriptor of the folder.
    ///   - new: The descriptor of what was made in it.
    /// - Returns: 0, or the number of the error.
    public static func handDown(from folder: CInt, to new: CInt) -> CInt {
        var (parent, child) = (stat(), stat())
        guard fstat(folder, &parent) == 0, fstat(new, &child) == 0 else { return errno }
        var mode = child.isFolder ? parent.st_mode & 0o3777 | 0o700 : parent.st_mode & 0o444 | 0o400
        if child.st_gid != parent.st_gid, fchown(new, uid_t.max, parent.st_gid) != 0 {
            guard [EPERM, ENOTSUP, ENOSYS, EINVAL].contains(errno) else { return errno }
            // Not a member of that group: what it may do is not for the user's own group.
            mode &= ~0o2020
        }
        guard child.st_mode & 0o7777 != mode, fchmod(new, mode) != 0 else { return 0 }
        // Some file systems have one mode for all.
        return [EPERM, ENOTSUP, ENOSYS].contains(errno) ? 0 : errno
    }
}
