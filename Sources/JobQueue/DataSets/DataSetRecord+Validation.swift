extension DataSetRecord {
    /// What the database would refuse too.
    public func validate() throws(QueueError) {
        guard !splits.isEmpty else {
            throw QueueError(.invalid, "data set '\(name)' has no splits: name one at least, such as test")
        }
        var known: Set<String> = []
        for split in splits {
            try check(split: split.name, of: name)
            guard known.insert(split.name).inserted else {
                throw QueueError(.invalid, "the split \(split.name) of data set '\(name)' is there twice: keep one")
            }
            try split.validate("split \(split.name) of data set '\(name)'")
        }
    }
}

extension DataSetRecord.Split {
    private static let mostColumns = 10_000

    fileprivate func validate(_ what: String) throws(QueueError) {
        try check(sha256: sha256, "the sha256 of \(what)")
        guard rows > 0 else { throw QueueError(.invalid, "\(what) has \(rows) rows: it must have one at least") }
        guard columns.count <= Self.mostColumns else {
            throw QueueError(
                .invalid, "\(what) has \(columns.count) columns: it must have at most \(Self.mostColumns)")
        }
        for column in columns { try check(column, "the name of a column of \(what)", 0...1000) }
        try check(source, "the source of \(what)", 1...4096)
        try check(user, "the user's name", 1...200)
    }
}
