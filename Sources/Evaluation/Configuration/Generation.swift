extension TaskConfiguration {
    /// How text is generated; always greedily.
    public struct Generation: Sendable, Hashable {
        public var until: [String]
        public var maxTokens: Int
    }
}
