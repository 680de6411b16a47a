extension ShardFailure {
    /// The longest message that is kept, in Unicode scalars.
    static let messageLimit = 8000

    /// A failure that can be stored: whatever went wrong, recording it must not go wrong too.
    var normalized: ShardFailure {
        var copy = self
        var scalars = String.UnicodeScalarView(message.unicodeScalars.lazy.filter { $0.value != 0 })
        if scalars.count > Self.messageLimit {
            scalars = String.UnicodeScalarView(scalars.prefix(Self.messageLimit)) + "...".unicodeScalars
        }
        copy.message = scalars.isEmpty ? "unknown error" : String(scalars)
        copy.seconds = seconds.isFinite ? max(0, seconds) : 0
        return copy
    }
}

extension ShardProgress {
    /// Progress that can be stored.
    var normalized: ShardProgress {
        var copy = self
        copy.samples = min(max(0, samples), storableCount.upperBound)
        copy.tokens = max(0, tokens)
        return copy
    }
}
