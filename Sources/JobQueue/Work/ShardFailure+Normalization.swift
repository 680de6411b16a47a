extension ShardFailure {
    /// The longest message that is kept, in Unicode scalars.
    static let messageLimit = 8000

    /// A failure that can be stored: whatever went wrong, recording it must not go wrong too.
    var normalized: ShardFailure {
        var copy = self
        copy.message = message.storable(limit: Self.messageLimit)
        copy.seconds = seconds.isFinite ? max(0, seconds) : 0
        return copy
    }
}

extension String {
    /// What is kept of a note on a worker, or on a shard that it gives back: 1000 Unicode scalars at most.
    var storableNote: String { storable(limit: 997) }

    /// The text as a reason that can be stored: without NUL characters, and cut off after so many Unicode scalars.
    func storable(limit: Int) -> String {
        var scalars = String.UnicodeScalarView(unicodeScalars.lazy.filter { $0.value != 0 })
        if scalars.count > limit {
            scalars = String.UnicodeScalarView(scalars.prefix(limit)) + "...".unicodeScalars
        }
        return scalars.isEmpty ? "unknown error" : String(scalars)
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
