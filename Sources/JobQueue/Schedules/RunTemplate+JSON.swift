import FoundationEssentials

extension RunTemplate {
    /// With sorted keys; equal templates give equal texts.
    func json() throws(QueueError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch {
            throw QueueError(.invalid, "the schedule's run can't be written as JSON: \(error)", underlying: error)
        }
    }

    init(json: String) throws(QueueError) {
        do {
            self = try JSONDecoder().decode(RunTemplate.self, from: Data(json.utf8))
        } catch {
            throw QueueError(
                .invalid,
                "what the schedule submits was stored by another version of Assay; add it again with --replace",
                underlying: error)
        }
    }
}
