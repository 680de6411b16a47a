/// A report's name, which is also its folder's: 1 to 100 letters, digits, ".", "_" or "-", a letter or digit first.
public struct ReportName: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let value: String

    public init(_ value: String) throws(ReportError) {
        let bytes = value.utf8
        let isPlain = bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, (1...100).contains(bytes.count), let first = value.first, first.isLetter || first.isNumber else {
            throw ReportError(
                .invalidName,
                "\"\(Printable.text(value, limit: 120))\" is not a report name: use 1 to 100 letters, digits, \".\", "
                    + "\"_\" or \"-\", a letter or digit first")
        }
        self.value = value
    }

    public var description: String { self.value }

    public static func < (left: ReportName, right: ReportName) -> Bool { left.value < right.value }
}
