@testable import JSON

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What lm-evaluation-harness's task ifeval, langdetect and NLTK gave; Fixtures/ifeval/ifeval_fixtures.py made it.
enum IFEvalFixture {
    private static let root: JSONValue = {
        let file = #filePath
        let folder = file[..<(file.lastIndex(of: "/") ?? file.startIndex)]
        guard let data = try? Data(contentsOf: URL(filePath: folder + "/Fixtures/ifeval/ifeval.json")),
            let value = try? JSONValue.parse(data)
        else { return .null }
        return value
    }()

    static func cases(_ key: String) -> [JSONValue] { Self.root[at: key].items }
}

extension String {
    var codePoints: [Unicode.Scalar] { Array(self.unicodeScalars) }
}
