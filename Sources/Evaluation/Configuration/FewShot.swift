extension TaskConfiguration {
    /// How examples are put before the question; each part is as for the question itself unless it is given.
    public struct FewShot: Sendable, Hashable {
        /// Which rows become examples.
        public enum Sampler: String, Sendable, Hashable, CaseIterable {
            /// Drawn for each row, as lm-eval's default sampler draws them.
            case random = "default"
            case firstN = "first_n"
        }

        public var count = 0
        /// The file says that there are none, which lm-eval lets nobody change.
        var isNone = false
        public var sampler = Sampler.random
        /// The random stream's seed; lm-eval's unless set.
        public var seed = FewShotDraws.defaultSeed
        public var split: String?
        /// The examples themselves; `nil` if they are rows of the split.
        public var samples: [JSONValue]?
        /// Rows of the split that may become examples; `nil` for all.
        public var indices: [Int]?
        public var docToText: Field?
        public var docToTarget: Target?
        public var docToChoice: Choices?
        public var genPrefix: String?
        public var targetDelimiter: String?
        public var delimiter: String?
        /// The data set that examples are drawn from, in a task from canonical JSON.
        public var pool: Pool?
    }

    /// A data set named by its content.
    public struct Pool: Sendable, Hashable {
        public var sha256: String
        public var rows: Int

        public init(sha256: String, rows: Int) {
            self.sha256 = sha256
            self.rows = rows
        }
    }
}
