/// What the tests read of a run's JSON.
public struct RunAnswer: Decodable, Sendable {
    public struct Progress: Decodable, Sendable {
        public struct Shards: Decodable, Sendable {
            public var done: Int
            public var running: Int
            public var ready: Int
        }
        public var shards: Shards
        public var samples: Int
        public var samplesDone: Int
    }
    public var id: String
    public var progress: Progress
}

/// What the tests read of `assay show`'s JSON.
public struct ShowAnswer: Decodable, Sendable {
    public var run: RunAnswer
}
