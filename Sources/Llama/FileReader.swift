internal import Crypto
internal import Files

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Reads a file from front to back in buffered pieces, never beyond its end.
struct FileReader: ~Copyable {
    let path: String
    let size: Int
    private let file: InputFile
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
        do throws(FileError) {
            self.file = try InputFile(path: path)
        } catch {
            throw LlamaError(error)
        }
        self.path = path
        self.size = self.file.byteCount
        self.buffer = [UInt8](repeating: 0, count: bufferSize)
    }

    /// What the file system says of the open file now.
    func status() throws(LlamaError) -> stat {
        do throws(FileError) {
            return try self.file.status()
        } catch {
            throw LlamaError(error)
        }
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
            let descriptor = self.file.descriptor
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

extension LlamaError {
    init(_ error: FileError) { self.init(.fileUnreadable, "\(error)") }
}

/// Upper bounds for what a file may make its reader do.
enum GGUFLimits {
    static let metadataEntries = 65_536
    static let tensors = 1_000_000
    static let keyBytes = 65_535
    static let stringBytes = 64 << 20
    static let arrayElements = 64 << 20
    /// The elements of a numeric array that are kept.
    static let keptElements = 4096
    static let dimensions = 4
    /// llama.cpp takes names of up to 63 bytes.
    static let tensorNameBytes = 63
    /// llama.cpp aborts the process beyond this.
    static let layers = 512
}

/// The primitives of the GGUF format; all numbers are little-endian.
extension FileReader {
    mutating func integer<Number: FixedWidthInteger>(_: Number.Type = Number.self) throws(LlamaError) -> Number {
        try self.withBytes(MemoryLayout<Number>.size) { bytes throws(LlamaError) in
            Number(littleEndian: bytes.loadUnaligned(as: Number.self))
        }
    }

    /// A 64-bit count that must not exceed `limit`.
    mutating func count(of what: String, limit: Int) throws(LlamaError) -> Int {
        let start = self.offset
        let value = try self.integer(UInt64.self)
        guard value <= UInt64(limit) else {
            throw LlamaError(
                .malformedFile,
                "\(self.path): is damaged: \(value) \(what) at offset \(start), at most \(limit) are accepted")
        }
        return Int(value)
    }

    mutating func string(_ what: String, limit: Int) throws(LlamaError) -> String {
        let start = self.offset
        guard let text = String(validating: try self.text(what, limit: limit), as: UTF8.self) else {
            throw LlamaError(.malformedFile, "\(self.path): is damaged: \(what) at offset \(start) is not UTF-8")
        }
        return text
    }

    /// The bytes of a string.
    mutating func text(_ what: String, limit: Int) throws(LlamaError) -> [UInt8] {
        let start = self.offset
        let count = try self.count(of: "bytes of \(what)", limit: limit)
        var bytes: [UInt8] = []
        guard count <= self.remaining else {
            throw LlamaError(
                .malformedFile,
                "\(self.path): is truncated or damaged: \(what) at offset \(start) takes \(count) bytes, "
                    + "but the file ends at \(self.size); get the file again")
        }
        bytes.reserveCapacity(count)
        var left = count
        while left > 0 {
            let step = min(left, 1 << 16)
            try self.withBytes(step) { (piece) throws(LlamaError) in bytes.append(contentsOf: piece) }
            left -= step
        }
        return bytes
    }

    /// Passes over a string without keeping it.
    mutating func skipString(_ what: String) throws(LlamaError) {
        try self.skip(try self.count(of: "bytes of \(what)", limit: GGUFLimits.stringBytes))
    }
}
