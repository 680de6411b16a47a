import Glibc

/// A file that is written under a name that nobody reads, and gets its own name when it is complete.
///
/// Without `commit` it is removed when the value goes out of scope, on whatever path.
struct TemporaryFile: ~Copyable {
    private let folder: Folder
    /// Open for reading and writing as long as this value lives.
    let descriptor: Int32
    /// The name while it is incomplete.
    let name: String
    private var isCommitted = false

    /// Makes an empty file beside where the one called `name` will stand.
    init(for name: String, in folder: borrowing Folder) throws(StoreError) {
        let own = try folder.folder([])
        let temporary = Layout.temporary(for: name)
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = insisting { openat(own.descriptor, temporary, flags, 0o600) }
        guard descriptor >= 0 else { throw .system(errno, "making the file", path: "\(own.path)/\(temporary)") }
        self.folder = own
        self.descriptor = descriptor
        self.name = temporary
    }

    deinit {
        Glibc.close(self.descriptor)
        if !self.isCommitted { unlinkat(self.folder.descriptor, self.name, 0) }
    }

    /// Appends bytes.
    borrowing func write(_ bytes: RawSpan) throws(StoreError) {
        let descriptor = self.descriptor
        var start = 0
        while start < bytes.byteCount {
            let count = bytes.extracting(droppingFirst: start).withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 {
                guard errno == EINTR else { throw .system(errno, "writing the file", path: self.path) }
            } else {
                start += count
            }
        }
    }

    /// Appends bytes.
    borrowing func write(_ bytes: [UInt8]) throws(StoreError) {
        try self.write(bytes.span.bytes)
    }

    /// Makes the file readable to those who can read the folder, and to nobody writable, and puts it on the disk.
    borrowing func flush() throws(StoreError) {
        try self.folder.handDown(to: self.descriptor, path: self.path)
        guard fsync(self.descriptor) == 0 else { throw .system(errno, "flushing the file", path: self.path) }
    }

    /// Gives the flushed file its name, also instead of a file that has it, and puts that on the disk too.
    ///
    /// A name that may not be on the disk is taken back, unless it replaced a file: that one may have been on the disk for
    /// long, and others rely on its being there (a data set that is imported again). What is there then can be made
    /// again, or has the same bytes.
    consuming func commit(as name: String) throws(StoreError) {
        let replaces = try self.folder.status(name) != nil
        if renameat(self.folder.descriptor, self.name, self.folder.descriptor, name) != 0 {
            let number = errno
            // A file server may have done it, and its answer been lost.
            guard try self.isCalled(name) else {
                throw .system(number, "renaming the file to \(name)", path: self.path)
            }
        }
        self.isCommitted = true
        do throws(StoreError) {
            try self.folder.flush()
        } catch {
            if !replaces { self.takeBack(name) }
            throw error
        }
    }

    /// Gives the flushed file its name unless another file has it; false if one has.
    consuming func commit(asNew name: String) throws(StoreError) -> Bool {
        if linkat(self.folder.descriptor, self.name, self.folder.descriptor, name, 0) != 0 {
            switch errno {
            case EEXIST:
                guard try self.isCalled(name) else { return false }
            case EPERM, ENOTSUP, ENOSYS:
                // The file system has no links.
                try self.commit(as: name)
                return true
            case let number:
                guard try self.isCalled(name) else {
                    throw .system(number, "naming the file \(name)", path: self.path)
                }
            }
        }
        do throws(StoreError) {
            try self.folder.flush()
        } catch {
            self.takeBack(name)
            throw error
        }
        return true
    }

    /// Takes the name away again, as far as that can be done.
    ///
    /// That the folder could not be flushed is reported once, and to this process: another one that found the name would
    /// flush the folder without an error, and take for durable what no disk has.
    private borrowing func takeBack(_ name: String) {
        // Another process may have given the name to a file of its own meanwhile.
        guard let isOurs = try? self.isCalled(name), isOurs else { return }
        unlinkat(self.folder.descriptor, name, 0)
    }

    /// Whether this very file has the name.
    private borrowing func isCalled(_ name: String) throws(StoreError) -> Bool {
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else {
            throw .system(errno, "looking at the file", path: self.path)
        }
        guard let other = try self.folder.status(name) else { return false }
        return other.st_ino == status.st_ino && other.st_dev == status.st_dev
    }

    private var path: String { "\(self.folder.path)/\(self.name)" }
}
