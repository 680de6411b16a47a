extension TaskConfiguration {
    /// How text is generated.
    public struct Generation: Sendable, Hashable {
        public var until: [String]
        public var maxTokens: Int
        /// `nil` for the most likely tokens.
        public var sampling: Sampling?
        /// What the text must look like; `nil` for anything; not in lm-eval.
        public var constraint: TextConstraint?

        public init(until: [String], maxTokens: Int, sampling: Sampling? = nil, constraint: TextConstraint? = nil) {
            self.constraint = constraint
            self.until = until
            self.maxTokens = maxTokens
            self.sampling = sampling
        }
    }
}
