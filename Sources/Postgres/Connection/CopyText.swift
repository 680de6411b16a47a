/// Rows in COPY's text format.
///
/// Reference: https://www.postgresql.org/docs/current/sql-copy.html
struct CopyText {
    /// Rows gathered so far.
    private(set) var bytes: [UInt8] = []
    private(set) var rowCount = 0

    mutating func append(_ row: [(any PostgresEncodable)?], statement: String) throws(PostgresError) {
        let start = self.bytes.count
        for (index, value) in row.enumerated() {
            if index > 0 { self.bytes.append(UInt8(ascii: "\t")) }
            guard let parameter = value?.postgresParameter else {
                self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "N")]
                continue
            }
            switch parameter.form {
            case .bytes:
                self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "\\"), UInt8(ascii: "x")]
                Hex.encode(parameter.bytes, into: &self.bytes)
            case .text:
                guard self.append(text: parameter.bytes) else {
                    self.bytes.removeSubrange(start...)
                    throw PostgresError(
                        .usage, "row \(self.rowCount + 1) of this chunk, value \(index + 1) contains a NUL character",
                        hint: "remove it, or store bytes in a bytea column", statement: statement)
                }
            }
        }
        self.bytes.append(UInt8(ascii: "\n"))
        self.rowCount += 1
    }

    /// Takes the gathered rows and begins anew.
    mutating func take() -> [UInt8] {
        defer {
            self.bytes.removeAll(keepingCapacity: true)
            self.rowCount = 0
        }
        return self.bytes
    }

    /// Escapes what has a meaning in the format; false when the text has a NUL in it.
    private mutating func append(text: [UInt8]) -> Bool {
        for byte in text {
            switch byte {
            case 0: return false
            case UInt8(ascii: "\\"): self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "\\")]
            case UInt8(ascii: "\n"): self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case UInt8(ascii: "\r"): self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case UInt8(ascii: "\t"): self.bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            default: self.bytes.append(byte)
            }
        }
        return true
    }
}
