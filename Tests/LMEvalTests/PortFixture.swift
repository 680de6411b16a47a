@testable import JSON

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What lm-evaluation-harness's own functions gave; Fixtures/ports/port_fixtures.py made it.
enum PortFixture {
    static let root: JSONValue = {
        let file = #filePath
        let folder = file[..<(file.lastIndex(of: "/") ?? file.startIndex)]
        guard let data = try? Data(contentsOf: URL(filePath: folder + "/Fixtures/ports/ports.json")),
            let value = try? JSONValue.parse(data)
        else { return .null }
        return value
    }()

    /// What stands under the keys, one in the other.
    static func value(_ keys: String...) -> JSONValue { keys.reduce(Self.root) { $0[$1] ?? .null } }
}

extension JSONValue {
    var text: String { self.string ?? "not a string" }

    var texts: [String] { self.items.map(\.text) }

    subscript(at key: String) -> JSONValue { self[key] ?? .null }

    /// Equality by code points, and of objects in their order.
    func isExactly(_ other: JSONValue) -> Bool { Array(self.text().utf8) == Array(other.text().utf8) }
}

/// Equality to 1e-12; two NaN are equal.
func isClose(_ a: Double, _ b: Double) -> Bool {
    a == b || (a.isNaN && b.isNaN) || abs(a - b) <= 1e-12 * max(1, abs(b))
}
