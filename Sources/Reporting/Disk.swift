internal import Crypto
internal import Files
internal import FoundationEssentials
internal import Glibc
internal import ResultStore

/// The few file operations that publishing needs, every return code checked.
enum Disk {
    /// Makes a folder that all who use the one above it can use, durably; one that is there already is fine unless
    /// `isNew` is asked for.
    static func makeFolder(_ path: String, isNew: Bool = false) throws(ReportError) {
        let parent = Self.folder(of: path)
        guard mkdir(path, 0o777) != 0 else {
            do throws(ReportError) {
                try Self.share(path, in: parent)
                try Self.syncFolder(parent)
            } catch {
                // A flush that failed is told once: the next try must make the name again, not find it.
                rmdir(path)
                throw error
            }
            return
        }
        let code = errno
        var status = stat()
        guard code == EEXIST, !isNew, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw Self.failure("create the folder", path, code)
        }
        // The process that made it may have died before that.
        try Self.syncFolder(parent)
    }

    private static func folder(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    /// Makes what was made as accessible as the folder that it is in.
    private static func share(_ path: String, in parent: String) throws(ReportError) {
        let folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.failure("open the folder", parent, errno) }
        defer { close(folder) }
        let new = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard new >= 0 else { throw Self.failure("open", path, errno) }
        defer { close(new) }
        let code = SharedMode.handDown(from: folder, to: new)
        guard code == 0 else { throw Self.failure("set the mode of", path, code) }
    }

    /// Writes a file that must not exist, and waits until it is on the disk.
    static func write(_ content: [UInt8], to path: String) throws(ReportError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("create", path, errno) }
        var code: Int32 = 0
        content.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count, let base = bytes.baseAddress {
                let written = Glibc.write(descriptor, base + start, bytes.count - start)
                if written < 0, errno == EINTR { continue }
                guard written > 0 else {
                    code = written < 0 ? errno : EIO
                    return
                }
                start += written
            }
        }
        if close(descriptor) != 0, code == 0 { code = errno }
        guard code == 0 else { throw Self.failure("write", path, code) }
        try Self.share(path, in: Self.folder(of: path))
        try Self.syncFile(path)
    }

    /// Waits until a file is on the disk, no matter which process wrote it.
    static func syncFile(_ path: String) throws(ReportError) {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("open", path, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.failure("sync", path, errno) }
    }

    /// Waits until a folder's entries are on the disk.
    static func syncFolder(_ path: String) throws(ReportError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("open the folder", path, errno) }
        defer { close(descriptor) }
        // Some shared file systems cannot sync a folder and say EINVAL.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.failure("sync the folder", path, errno) }
    }

    /// Renames a folder; false if the new name is taken.
    static func rename(_ old: String, to new: String) throws(ReportError) -> Bool {
        guard Glibc.rename(old, new) != 0 else { return true }
        let code = errno
        if code == EEXIST || code == ENOTEMPTY || code == ENOTDIR { return false }
        throw Self.failure("rename \(old) to", new, code)
    }

    /// The entries of a folder in order; empty if there is no such folder.
    static func entries(of path: String) throws(ReportError) -> [String] {
        guard let folder = opendir(path) else {
            if errno == ENOENT { return [] }
            throw Self.failure("read the folder", path, errno)
        }
        defer { closedir(folder) }
        var entries: [String] = []
        // Foundation takes an error for the end: a version that is not seen would be published again.
        errno = 0
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { entries.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw Self.failure("read the folder", path, errno) }
        return entries.sorted()
    }

    /// Removes a folder and all in it, as far as it can be done.
    static func remove(_ path: String) {
        // What stays behind is removed by a later build.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// When something was last modified, in seconds by the file system's clock; nil if it is not there.
    static func modificationTime(of path: String) -> Int? {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_mtim.tv_sec) : nil
    }

    static func failure(_ action: String, _ path: String, _ code: Int32) -> ReportError {
        ReportError(
            .fileSystem,
            "cannot \(action) \(path): \(String(cString: strerror(code))); check the store's permissions and free space"
        )
    }
}

extension Disk {
    /// The content of a regular file of at most `limit` bytes; nil if there is no such file.
    static func read(_ path: String, limit: Int) throws(ReportError) -> [UInt8]? {
        var content: [UInt8] = []
        let size = try Self.scan(path, limit: limit) { content.append(contentsOf: $0) }
        return size == nil ? nil : content
    }

    /// The size and sha256 of a regular file of at most `limit` bytes; nil if there is no such file.
    static func digest(_ path: String, limit: Int) throws(ReportError) -> (bytes: Int, sha256: String)? {
        var hash = SHA256()
        guard let size = try Self.scan(path, limit: limit, { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) })
        else { return nil }
        return (size, hash.finalize().hexadecimal)
    }

    /// Reads a regular file piece by piece and gives its size; nil if there is no such file.
    private static func scan(
        _ path: String, limit: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws(ReportError) -> Int? {
        // Without O_NONBLOCK, opening a pipe would wait for ever.
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure("open", path, errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure("examine", path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ReportError(.damaged, "\(path) is not a regular file; remove it and build the report again")
        }
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 20)
        defer { buffer.deallocate() }
        var size = 0
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("read", path, errno) }
            if count == 0 { return size }
            size += count
            guard size <= limit else {
                throw ReportError(.damaged, "\(path) is longer than the \(limit) bytes it should have at most")
            }
            body(UnsafeBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
