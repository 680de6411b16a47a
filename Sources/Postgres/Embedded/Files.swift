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

    /// Replaces a file by these lines; readers see the old or the new one.
    static func write(_ lines: [String], to path: String) throws(PostgresError) {
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw PostgresError(systemCall: "write \(draft)") }
        let count = pwrite(descriptor, bytes, bytes.count, 0)
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
        self.init(.embeddedServer, "cannot \(what): \(String(cString: strerror(errno)))")
    }
}
