public import Evaluation
public import Statistics

/// The scores of tasks that belong together.
public struct GroupReport: Sendable, Hashable {
    public var name: String
    public var alias: String?
    public var scores: [Score]

    /// The name to show.
    public var title: String { self.alias ?? self.name }

    /// One model's score over the group's tasks.
    public struct Score: Sendable, Hashable {
        public var model: String
        /// As the tasks have it.
        public var metric: MetricDefinition
        /// How many tasks have the metric.
        public var tasks: Int
        public var estimate: Estimate
    }
}

extension GroupReport {
    /// All groups of a run's jobs that put scores together, in the order in which they come up.
    static func all(of jobs: [JobReport]) -> [GroupReport] {
        var groups: [JobSpecification.Group] = []
        for job in jobs {
            for group in job.job.groups where !groups.contains(group) { groups.append(group) }
        }
        return groups.compactMap { group in
            let members = jobs.filter { $0.job.groups.contains(group) }
            var models: [ModelInput] = []
            for job in members where !models.contains(job.job.model) { models.append(job.job.model) }
            let scores = group.metrics.flatMap { metric in
                Self.filters(metric, of: members).flatMap { filter in
                    models.compactMap { model in
                        Self.score(metric, filter, members.filter { $0.job.model == model }, model)
                    }
                }
            }
            return group.metrics.isEmpty ? nil : GroupReport(name: group.name, alias: group.alias, scores: scores)
        }
    }

    /// Those that the metric names, else all that members have, in their order.
    private static func filters(_ metric: JobSpecification.Group.Metric, of jobs: [JobReport]) -> [String] {
        if let filters = metric.filters { return filters }
        var filters: [String] = []
        for score in jobs.flatMap(\.scores) where score.metric.metric.name == metric.name {
            if !filters.contains(score.metric.filter) { filters.append(score.metric.filter) }
        }
        return filters
    }

    private static func score(
        _ metric: JobSpecification.Group.Metric, _ filter: String, _ jobs: [JobReport], _ model: ModelInput
    ) -> Score? {
        // A task that a run has twice would count twice.
        guard Set(jobs.map(\.job.task.name)).count == jobs.count else { return nil }
        let parts = jobs.compactMap { job in
            job.scores.first { $0.metric.metric.name == metric.name && $0.metric.filter == filter }
        }
        guard let first = parts.first else { return nil }
        let estimates = parts.map(\.estimate)
        return Score(
            model: model.name, metric: first.metric, tasks: parts.count,
            estimate: metric.weightBySize ? .pooled(estimates) : .averaged(estimates))
    }
}
