internal import Crypto

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Reads a file from front to back in buffered pieces, never beyond its end.
struct FileReader: ~Copyable {
    let path: String
    let size: Int
    private let descriptor: Int32
    private var buffer: [UInt8]
    /// The part of `buffer` that is filled and not yet consumed.
    private var available: Range<Int> = 0..<0
    /// Where the first byte of `buffer` stands in the file.
    private var bufferOffset = 0
    /// Where in `buffer` the bytes begin that `hasher` has not seen.
    private var unhashedFrom: Int?
    private var hasher = SHA256()

    /// The offset of the next byte.
    var offset: Int { self.bufferOffset + self.available.lowerBound }
    var remaining: Int { self.size - self.offset }

    init(path: String, bufferSize: Int = 1 << 18) throws(LlamaError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw LlamaError(.fileUnreadable, "\(path): cannot be opened: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw LlamaError(.fileUnreadable, "\(path): is not a regular file")
        }
        self.path = path
        self.size = Int(status.st_size)
        self.descriptor = descriptor
        self.buffer = [UInt8](repeating: 0, count: bufferSize)
    }

    deinit { close(self.descriptor) }

    /// What the file system says of the open file now.
    func status() throws(LlamaError) -> stat {
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else {
            throw LlamaError(.fileUnreadable, "\(self.path): cannot be looked at: \(String(cString: strerror(errno)))")
        }
        return status
    }

    /// The next `count` bytes, at most the buffer's size, passed to `body`.
    mutating func withBytes<Result>(
        _ count: Int, _ body: (UnsafeRawBufferPointer) throws(LlamaError) -> Result
    ) throws(LlamaError) -> Result {
        if self.available.count < count { try self.fill(count) }
        let range = self.available.lowerBound..<self.available.lowerBound + count
        self.available = range.upperBound..<self.available.upperBound
        let outcome: Swift.Result<Result, LlamaError> = self.buffer.withUnsafeBytes { bytes in
            do throws(LlamaError) {
                return .success(try body(UnsafeRawBufferPointer(rebasing: bytes[range])))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    mutating func skip(_ count: Int) throws(LlamaError) {
        guard count >= 0, count <= self.remaining else { throw self.truncated(needing: count) }
        var left = count
        while left > 0 {
            let step = min(left, self.buffer.count)
            try self.withBytes(step) { (_) throws(LlamaError) in }
            left -= step
        }
    }

    /// From the next byte on, everything consumed goes into a new hash.
    mutating func startHash() {
        self.hasher = SHA256()
        self.unhashedFrom = self.available.lowerBound
    }

    /// The SHA-256 of everything consumed since `startHash()`.
    mutating func finishHash() -> [UInt8] {
        self.hashConsumed()
        self.unhashedFrom = nil
        return Array(self.hasher.finalize())
    }

    private mutating func hashConsumed() {
        guard let from = self.unhashedFrom else { return }
        let range = from..<self.available.lowerBound
        self.buffer.withUnsafeBytes { self.hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[range])) }
        self.unhashedFrom = self.available.lowerBound
    }

    /// Moves what is left to the front and reads until `count` bytes are there.
    private mutating func fill(_ count: Int) throws(LlamaError) {
        guard count <= self.remaining else { throw self.truncated(needing: count) }
        self.hashConsumed()
        let kept = self.available
        self.bufferOffset += kept.lowerBound
        for index in 0..<kept.count { self.buffer[index] = self.buffer[kept.lowerBound + index] }
        if self.unhashedFrom != nil { self.unhashedFrom = 0 }
        self.available = 0..<kept.count
        while self.available.count < count {
            let filled = self.available.count
            let position = off_t(self.bufferOffset + filled)
            let descriptor = self.descriptor
            let got = self.buffer.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: filled), $0.count - filled, position)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw LlamaError(.fileUnreadable, "\(self.path): cannot be read: \(String(cString: strerror(errno)))")
            }
            guard got > 0 else { throw self.truncated(needing: count - filled) }
            self.available = 0..<filled + got
        }
    }

    private func truncated(needing count: Int) -> LlamaError {
        LlamaError(
            .malformedFile,
            "\(self.path): is truncated or damaged: \(count) bytes are needed at offset \(self.offset), "
                + "but the file ends at \(self.size); get the file again")
    }
}
