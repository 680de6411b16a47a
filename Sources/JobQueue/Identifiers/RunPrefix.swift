/// The first characters of a run's identifier, as typed on a command line and brought into canonical form.
struct RunPrefix: Sendable, Hashable {
    let text: String

    init(_ typed: String) throws(QueueError) {
        guard !typed.isEmpty else {
            throw QueueError(.invalid, "the run id is empty: give an id as printed by submit, or its first characters")
        }
        guard typed.count <= RunID.length else {
            throw QueueError(.invalid, "'\(typed.prefix(64))' is no run id: run ids have \(RunID.length) characters")
        }
        var canonical = ""
        for character in typed.lowercased() {
            let letter: Character =
                switch character {
                case "o": "0"
                case "i", "l": "1"
                default: character
                }
            guard RunID.alphabet.contains(letter) else {
                throw QueueError(
                    .invalid, "'\(typed)' is no run id: '\(character)' is not one of 0-9 and a-z without i, l, o, u")
            }
            canonical.append(letter)
        }
        text = canonical
    }
}
