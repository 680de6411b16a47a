extension JobSpecification {
    /// A group that the job's task belongs to; reports put its members' scores together.
    public struct Group: Codable, Sendable, Hashable {
        public var name: String
        public var alias: String?
        public var metrics: [Metric]

        /// How a metric of the members becomes the group's.
        public struct Metric: Codable, Sendable, Hashable {
            public var name: String
            /// Of the members, each a score of its own; `nil` for all that they have.
            public var filters: [String]?
            /// Each member counts by its samples, instead of all alike.
            public var weightBySize: Bool

            public init(name: String, filters: [String]?, weightBySize: Bool) {
                self.name = name
                self.filters = filters
                self.weightBySize = weightBySize
            }
        }

        public init(name: String, alias: String? = nil, metrics: [Metric]) {
            self.name = name
            self.alias = alias
            self.metrics = metrics
        }
    }
}
