/// What becomes of a due time while a run of the same schedule is still open.
public enum OverlapPolicy: String, Sendable, Hashable, CaseIterable, Codable {
    /// It is skipped.
    case skip
    /// It waits until no run is open any more; only one waits, others are skipped.
    case bufferOne = "buffer_one"
    /// It is submitted all the same.
    case allowAll = "allow_all"
    /// The open runs are cancelled and it is submitted.
    case cancelOther = "cancel_other"

    /// Reads a policy's name.
    ///
    /// - Throws: `invalid` for any other word.
    public init(name: String) throws(QueueError) {
        guard let match = Self(rawValue: name) else {
            let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw QueueError(.invalid, "overlap policy '\(name)' does not exist: use one of \(names)")
        }
        self = match
    }
}
