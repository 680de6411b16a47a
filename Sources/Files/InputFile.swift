#if canImport(Glibc)
public import Glibc
#elseif canImport(Musl)
public import Musl
#else
public import Darwin
#endif

/// A file that can't be read, and why.
public struct FileError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
        /// A system call failed; its `errno`.
        case system(Int32)
        /// A folder, a pipe, a device or a socket.
        case notRegular
        /// Longer than the reader allows.
        case tooLarge
        /// It grew or shrank while it was read.
        case changed
    }

    public var code: Code
    public var path: String
    /// What happened, without the path.
    public var reason: String

    public init(_ code: Code, path: String, _ reason: String) {
        self.code = code
        self.path = path
        self.reason = reason
    }

    /// The failure that a system call left in `errno`.
    public static func system(_ number: Int32, _ action: String, path: String) -> FileError {
        FileError(.system(number), path: path, "\(action): \(String(cString: strerror(number)))")
    }

    /// Whether there is no file of this name.
    public var isMissing: Bool { self.code == .system(ENOENT) || self.code == .system(ENOTDIR) }

    public var description: String { "\(self.path): \(self.reason)" }
}

/// A regular file that is open for reading.
///
/// Opening never waits: neither a pipe without a writer nor a device holds the caller up.
public struct InputFile: ~Copyable {
    public let path: String
    /// What the file had when it was opened.
    public let byteCount: Int
    /// Open as long as this value lives.
    public let descriptor: Int32

    /// - Parameter followsLinks: False where the last part of the path must not be a symbolic link.
    public init(path: String, followsLinks: Bool = true) throws(FileError) {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW)
        try self.init(opened: open(path, flags), path: path)
    }

    /// Opens an entry of an open folder, which must not be a symbolic link.
    public init(folder: Int32, name: String, path: String) throws(FileError) {
        try self.init(opened: openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), path: path)
    }

    private init(opened descriptor: Int32, path: String) throws(FileError) {
        guard descriptor >= 0 else { throw .system(errno, "can't be opened", path: path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let number = errno
            close(descriptor)
            throw .system(number, "can't be examined", path: path)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileError(.notRegular, path: path, "is not a regular file")
        }
        self.path = path
        self.byteCount = Int(status.st_size)
        self.descriptor = descriptor
    }

    deinit { close(self.descriptor) }

    /// What the file system says of the open file now.
    public func status() throws(FileError) -> stat {
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else { throw .system(errno, "can't be examined", path: self.path) }
        return status
    }

    /// Reads some bytes into `buffer` from an index on; 0 at the end.
    public func read(into buffer: inout [UInt8], from start: Int = 0) throws(FileError) -> Int {
        let descriptor = self.descriptor
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
                #if canImport(Glibc)
                return Glibc.read(descriptor, rest.baseAddress, rest.count)
                #elseif canImport(Musl)
                return Musl.read(descriptor, rest.baseAddress, rest.count)
                #else
                return Darwin.read(descriptor, rest.baseAddress, rest.count)
                #endif
            }
            if count >= 0 { return count }
            guard errno == EINTR else { throw .system(errno, "can't be read", path: self.path) }
        }
    }

    /// Gives all bytes from here on to `body`, part after part.
    public func readAll(_ body: (RawSpan) throws(FileError) -> Void) throws(FileError) {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try self.read(into: &buffer)
            guard count > 0 else { return }
            try body(buffer.span.bytes.extracting(first: count))
        }
    }

    /// The whole file; nothing is read of one that is longer than `limit` bytes.
    public consuming func bytes(limit: Int) throws(FileError) -> [UInt8] {
        guard self.byteCount <= limit else {
            throw FileError(
                .tooLarge, path: self.path, "has \(self.byteCount) bytes; at most \(limit) are read of such a file")
        }
        // One byte more than expected would show a file that grows. Some file systems, such as /proc, tell no size.
        let expected = self.byteCount == 0 ? limit : self.byteCount
        var bytes = [UInt8](repeating: 0, count: self.byteCount == 0 ? min(limit, 1 << 16) + 1 : expected + 1)
        var filled = 0
        while true {
            if filled == bytes.count {
                guard filled <= expected else { break }
                bytes += [UInt8](repeating: 0, count: min(bytes.count, expected + 1 - filled))
            }
            let count = try self.read(into: &bytes, from: filled)
            guard count > 0 else { break }
            filled += count
        }
        guard self.byteCount == 0 ? filled <= limit : filled == self.byteCount else {
            throw self.byteCount == 0
                ? FileError(.tooLarge, path: self.path, "has more than \(limit) bytes, of which none are read")
                : FileError(.changed, path: self.path, "changed while it was read; wait until it is complete")
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// The whole file at a path, within bounds.
    public static func bytes(of path: String, limit: Int) throws(FileError) -> [UInt8] {
        try InputFile(path: path).bytes(limit: limit)
    }
}
