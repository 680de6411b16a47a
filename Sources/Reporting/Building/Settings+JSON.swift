internal import Evaluation
internal import FoundationEssentials

extension JobSpecification.Settings {
    /// As JSON with sorted keys; equal settings give equal bytes.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
