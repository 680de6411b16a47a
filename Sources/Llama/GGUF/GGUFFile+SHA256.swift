extension GGUFFile {
    /// The SHA-256 of the whole file at `path` in hexadecimal digits.
    ///
    /// It reads every byte: seconds per gigabyte.
    ///
    /// - Parameter sign: Called every few megabytes.
    public static func sha256(path: String, sign: () -> Void = {}) throws(LlamaError) -> String {
        try Self.stampedSHA256(path: path, sign: sign).sha256
    }

    /// The same, with the stamp that the file had while it was read.
    ///
    /// Throws `fileUnreadable` when the file changes meanwhile.
    public static func stampedSHA256(
        path: String, sign: () -> Void
    ) throws(LlamaError) -> (sha256: String, stamp: FileStamp) {
        var reader = try FileReader(path: path, bufferSize: 1 << 22)
        let stamp = FileStamp(try reader.status())
        reader.startHash()
        while reader.remaining > 0 {
            try reader.skip(min(reader.remaining, 1 << 26))
            sign()
        }
        let digest = reader.finishHash()
        guard FileStamp(try reader.status()) == stamp else {
            throw LlamaError(.fileUnreadable, "\(path): was changed while it was read; wait until it is complete")
        }
        return (hexadecimal(digest), stamp)
    }
}

/// Lower-case hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
