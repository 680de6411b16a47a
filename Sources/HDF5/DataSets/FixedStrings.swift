/// Strings of one width in bytes, padded with zeros.
public enum FixedStrings {
    /// The width that holds the longest of `values`; at least 1.
    public static func width(_ values: some Sequence<String>) -> Int {
        values.reduce(1) { max($0, $1.utf8.count) }
    }

    /// The bytes of all strings, one after the other.
    public static func pack(_ values: [String], width: Int, on object: String) throws(HDF5Error) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * width)
        for value in values {
            guard value.utf8.count <= width, !value.utf8.contains(0) else {
                throw HDF5Error(
                    .unsupported, operation: "writing strings", object: object,
                    detail: "a string is longer than \(width) bytes or contains U+0000")
            }
            bytes.append(contentsOf: value.utf8)
            bytes.append(contentsOf: repeatElement(0, count: width - value.utf8.count))
        }
        return bytes
    }

    static func unpack(_ bytes: [UInt8], width: Int, on object: String) throws(HDF5Error) -> [String] {
        var values: [String] = []
        values.reserveCapacity(bytes.count / width)
        for start in stride(from: 0, to: bytes.count, by: width) {
            let field = bytes[start..<start + width]
            let length = (field.lastIndex { $0 != 0 } ?? start - 1) - start + 1
            guard let value = String(validating: field.prefix(length), as: UTF8.self), !value.utf8.contains(0) else {
                throw HDF5Error(
                    .malformed, operation: "reading strings", object: object,
                    detail: "string \(start / width) is not UTF-8")
            }
            values.append(value)
        }
        return values
    }
}
