/// A path inside the store whose every component is a plain name, so that it cannot leave the store.
struct StorePath: Sendable, Hashable {
    let components: [String]

    /// Takes components made by the store itself or validates names from outside.
    init(_ components: [String]) throws(StoreError) {
        for component in components {
            guard Self.isName(component) else {
                throw StoreError(
                    .invalidInput, path: components.joined(separator: "/"),
                    "\"\(component)\" is no name in the store; use 1 to 200 of A-Z a-z 0-9 . _ - and no dot in front.")
            }
        }
        self.components = components
    }

    /// Parses "a/b/c".
    init(parsing text: String) throws(StoreError) {
        try self.init(text.split(separator: "/", omittingEmptySubsequences: false).map(String.init))
    }

    var text: String { self.components.joined(separator: "/") }
    var name: String { self.components.last ?? "" }
    var folder: [String] { self.components.dropLast() }

    static func isName(_ text: String) -> Bool {
        let isAllowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isAllowed && (1...200).contains(text.utf8.count) && !text.hasPrefix(".")
    }
}
