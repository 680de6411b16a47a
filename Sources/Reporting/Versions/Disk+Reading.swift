internal import Crypto
internal import Glibc

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
        return (size, Hexadecimal.text(hash.finalize()))
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
