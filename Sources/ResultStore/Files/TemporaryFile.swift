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
        let descriptor = openat(own.descriptor, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
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

    /// Puts the bytes on the disk.
    borrowing func flush() throws(StoreError) {
        guard fsync(self.descriptor) == 0 else { throw .system(errno, "flushing the file", path: self.path) }
    }

    /// Gives the flushed file its name, and puts that on the disk too.
    consuming func commit(as name: String) throws(StoreError) {
        guard renameat(self.folder.descriptor, self.name, self.folder.descriptor, name) == 0 else {
            throw .system(errno, "renaming the file to \(name)", path: self.path)
        }
        self.isCommitted = true
        try self.folder.flush()
    }

    private var path: String { "\(self.folder.path)/\(self.name)" }
}
