extension GGUFFile {
    /// The SHA-256 of the whole file at `path` in hexadecimal digits.
    ///
    /// It reads every byte: seconds per gigabyte.
    public static func sha256(path: String) throws(LlamaError) -> String {
        var reader = try FileReader(path: path, bufferSize: 1 << 22)
        reader.startHash()
        try reader.skip(reader.size)
        return hexadecimal(reader.finishHash())
    }
}

/// Lower-case hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
