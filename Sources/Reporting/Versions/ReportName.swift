/// A report's name, which is also its folder's: 1 to 100 letters, digits, ".", "_" or "-", a letter or digit first.
public struct ReportName: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let value: String

    public init(_ value: String) throws(ReportError) {
        guard Self.isValid(value) else {
            throw ReportError(
                .invalidName,
                "\"\(Printable.text(value, limit: 120))\" is not a report name: use 1 to 100 letters, digits, \".\", "
                    + "\"_\" or \"-\", a letter or digit first")
        }
        self.value = value
    }

    /// Whether `value` is a name: nothing that a file system, a shell or a page could take for more.
    static func isValid(_ value: String) -> Bool {
        let bytes = Array(value.utf8)
        func isPlain(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
        guard (1...100).contains(bytes.count), isPlain(bytes[0]) else { return false }
        return bytes.allSatisfy { byte in
            isPlain(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
    }

    public var description: String { self.value }

    public static func < (left: ReportName, right: ReportName) -> Bool { left.value < right.value }
}
