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
