internal import UVEventLoop

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The few file operations that the embedded server needs.
enum Files {
    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "unknown" }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func inode(_ path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// Two paths lead to one file or folder.
    static func isSame(_ path: String, _ other: String) -> Bool {
        var (one, two) = (stat(), stat())
        return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino
    }

    static func parent(_ path: String) -> String {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return parent.isEmpty ? "/" : parent
    }

    /// An absolute path without "." and "..", with symbolic links resolved as far as it exists.
    static func absolute(_ path: String) throws(PostgresError) -> String {
        var path = path
        if !path.hasPrefix("/") {
            path = FileManager.default.currentDirectoryPath + "/" + path
        }
        let scalars = path.unicodeScalars
        // These mean something to the server's configuration, to connection strings, or to the shell in pg_ctl.
        let isOdd = { (scalar: Unicode.Scalar) in
            "\"'\\$`,".unicodeScalars.contains(scalar) || scalar.value < 32 || scalar.value == 127
        }
        guard !scalars.contains(where: isOdd) else {
            throw PostgresError(
                .usage, "the path \(path) contains a character that the embedded server can't deal with",
                hint: "use an ASSAY_HOME without quotes, backslash, $, `, comma and control characters")
        }
        var missing: [Substring] = []
        var known = path
        while Self.resolved(known) == nil, known != "/" {
            missing.append(known[(known.lastIndex(of: "/") ?? known.startIndex)...].dropFirst())
            known = Self.parent(known)
        }
        var result = Self.resolved(known) ?? known
        for component in missing.reversed() where !component.isEmpty && component != "." {
            result = component == ".." ? Self.parent(result) : (result == "/" ? "" : result) + "/" + component
        }
        return result
    }

    static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    static func linkTarget(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { buffer -> Int in
            guard let start = buffer.baseAddress else { return -1 }
            return readlink(path, start.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    /// Whether any account may pass through the folder and all above it.
    static func isTraversableByOthers(_ path: String) -> Bool {
        var folder = path
        while true {
            var status = stat()
            guard stat(folder, &status) == 0, status.st_mode & 0o001 != 0 else { return false }
            if folder == "/" { return true }
            folder = Self.parent(folder)
        }
    }

    /// Makes a folder with those above it, unless it exists; the umask restricts only those above.
    static func makeFolder(_ path: String, mode: mode_t) throws(PostgresError) {
        if Self.exists(path) { return }
        try Self.makeFolder(Self.parent(path), mode: 0o755)
        let isNew = mkdir(path, mode) == 0
        guard isNew ? chmod(path, mode) == 0 : errno == EEXIST else {
            throw PostgresError(systemCall: "make the folder \(path)")
        }
    }

    static func remove(_ path: String) throws(PostgresError) {
        guard Self.exists(path) else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw PostgresError(.embeddedServer, "cannot remove \(path): \(error)")
        }
    }

    static func rename(_ path: String, to target: String) throws(PostgresError) {
        guard renameat(AT_FDCWD, path, AT_FDCWD, target) == 0 else {
            throw PostgresError(systemCall: "rename \(path) to \(target)")
        }
    }

    static func list(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    /// The beginning of a file as text; nil when it can't be read.
    static func read(_ path: String, limit: Int = 4096) -> String? {
        Self.bytes(path, from: 0, limit: limit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The last lines of a file; nil when there are none.
    static func tail(_ path: String, limit: Int = 4096, lines: Int = 20) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let start = max(0, Int(status.st_size) - limit)
        guard let bytes = Self.bytes(path, from: start, limit: limit) else { return nil }
        // The first line may be the rest of one.
        let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst(start > 0 ? 1 : 0).suffix(
            lines)
        return text.isEmpty ? nil : text.joined(separator: "\n")
    }

    private static func bytes(_ path: String, from start: Int, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = pread(descriptor, &bytes, limit, off_t(start))
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    /// Changes the first line of a small file in place; the file lies in a folder of another account, so no link is
    /// followed.
    static func replaceFirstLine(of path: String, by line: String) throws(PostgresError) {
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw PostgresError(systemCall: "open \(path)") }
        defer { close(descriptor) }
        var status = stat()
        var bytes = [UInt8](repeating: 0, count: 65536)
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1 else {
            throw PostgresError(.embeddedServer, "\(path) is not a plain file", hint: "remove it")
        }
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else { throw PostgresError(systemCall: "read \(path)") }
        let rest = bytes.prefix(count).drop { $0 != UInt8(ascii: "\n") }
        let text = Array(line.utf8) + rest
        guard pwrite(descriptor, text, text.count, 0) == text.count, ftruncate(descriptor, off_t(text.count)) == 0
        else {
            throw PostgresError(systemCall: "write \(path)")
        }
    }

    /// A file that only this process's account (or root) can have written; nil when there is none.
    static func readOwn(_ path: String, limit: Int) throws(PostgresError) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard errno != ENOENT else { return nil }
            throw PostgresError(systemCall: "read \(path)")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size < limit,
            status.st_uid == geteuid() || status.st_uid == 0, status.st_mode & 0o022 == 0
        else {
            throw PostgresError(
                .embeddedServer,
                "\(path) is not a file of at most \(limit) bytes that only its owner, you, can write",
                hint: "chown and chmod it (mode 644), or remove it")
        }
        return Self.read(path, limit: limit)
    }

    /// Something accepts connections on the socket; false also when there is none.
    static func isListening(_ socketPath: String) -> Bool {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard socketPath.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // Its queue may be full.
        return result == 0 || errno == EAGAIN
    }

    /// Replaces a file by these lines; readers see the old or the new one.
    static func write(_ lines: [String], to path: String) throws(PostgresError) {
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw PostgresError(systemCall: "write \(draft)") }
        let count = pwrite(descriptor, bytes, bytes.count, 0)
        if count >= 0, count < bytes.count { errno = ENOSPC }
        // The server's account reads it, whatever the umask.
        let isWritten = fchmod(descriptor, 0o644) == 0 && count == bytes.count && fsync(descriptor) == 0
        let error = PostgresError(systemCall: "write \(draft)")
        close(descriptor)
        guard isWritten else { throw error }
        try Self.rename(draft, to: path)
    }
}

extension PostgresError {
    /// The failure that errno tells of.
    init(systemCall what: String) {
        let number = errno
        let hint: String? =
            switch number {
            case EROFS, EACCES, EPERM: "make the folder writable, or give another one with --home or ASSAY_HOME"
            case ENOSPC, EDQUOT: "make room there, or give another folder with --home or ASSAY_HOME"
            case ENAMETOOLONG, ENOTDIR, ELOOP: "give another folder with --home or ASSAY_HOME"
            case ENOLCK, EOPNOTSUPP, ENOSYS:
                "the file system lacks what a database needs: put ASSAY_HOME on a local disk"
            default: nil
            }
        self.init(.embeddedServer, "cannot \(what): \(String(cString: strerror(number)))", hint: hint)
    }
}

/// A lock between processes; the kernel drops it when the process ends.
struct FileLock {
    private let descriptor: CInt

    static func acquire(_ path: String, timeout: Duration, on loop: EventLoop) async throws(PostgresError) -> FileLock {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw PostgresError(systemCall: "open \(path)") }
        let deadline = ContinuousClock.now + timeout
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                let error = PostgresError(systemCall: "lock \(path)")
                close(descriptor)
                throw error
            }
            guard ContinuousClock.now < deadline else {
                close(descriptor)
                throw PostgresError(
                    .timedOut, "another process has been starting or stopping the embedded server for \(timeout)",
                    hint: "see who holds \(path) (fuser \(path))")
            }
            do {
                try await loop.sleep(for: .milliseconds(25))
            } catch {
                close(descriptor)
                throw PostgresError(.cancelled, "cancelled while waiting for \(path)")
            }
        }
        return FileLock(descriptor: descriptor)
    }

    func unlock() { close(self.descriptor) }
}
