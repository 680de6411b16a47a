extension ShardPublication {
    /// Checks that this can be the result of `claimed`.
    ///
    /// - Throws: `invalid`, above all when the number of samples is not the shard's number of rows.
    public func validate(for claimed: ClaimedShard) throws(QueueError) {
        guard samples == claimed.rowCount else {
            throw QueueError(
                .invalid,
                """
                the result of shard \(claimed.key) has \(samples) samples, the shard has \(claimed.rowCount): a result \
                must cover all of its shard's rows
                """)
        }
        try check(path, "the result's path of shard \(claimed.key)", 1...1024)
        let folders = path.split(separator: "/", omittingEmptySubsequences: false)
        guard folders.allSatisfy({ $0 != "" && $0 != "." && $0 != ".." }), !path.contains("\\") else {
            throw QueueError(
                .invalid, "'\(path)' is no path for a result: it must be relative to the store and stay inside it")
        }
        guard bytes > 0 else {
            throw QueueError(.invalid, "\(path) has \(bytes) bytes: a result file is never empty")
        }
        try check(sha256: sha256, "the sha256 of \(path)")
        try check(digest, "the digest of \(path)", 1...200)
        try check(tokens, "the number of tokens of \(path)", 0...Int.max)
        try check(seconds: seconds, "the time for \(path)")
    }
}
