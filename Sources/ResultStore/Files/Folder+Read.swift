import Crypto
import Glibc

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
        let found = SHA256Text.of(bytes)
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
        return (total, SHA256Text.text(hasher.finalize()))
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
