extension TaskConfiguration {
    /// How text is generated.
    public struct Generation: Sendable, Hashable {
        public var until: [String]
        public var maxTokens: Int
        /// `nil` for the most likely tokens.
        public var sampling: Sampling?

        public init(until: [String], maxTokens: Int, sampling: Sampling? = nil) {
            self.until = until
            self.maxTokens = maxTokens
            self.sampling = sampling
        }
    }
}
