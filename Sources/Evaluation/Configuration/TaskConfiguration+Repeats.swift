extension TaskConfiguration {
    /// The filters, or without any one that takes the first text unless a metric needs several.
    var usedFilters: [FilterPipeline] {
        guard self.filters.isEmpty else { return self.filters }
        return [.plain(takesFirst: !self.metrics.contains { $0.metric.neededRepeats != nil })]
    }

    /// Refuses what needs more texts than a row gets, and says where several are of no use.
    mutating func checkRepeats(_ reader: MappingReader) throws(TaskError) {
        guard self.outputType == .generateUntil else {
            if self.repeats > 1 { self.notes.append("repeats has no effect where nothing is generated") }
            if self.epochs > 1 { self.notes.append("epochs has no effect where nothing is generated") }
            self.repeats = 1
            self.epochs = 1
            return
        }
        for metric in self.metrics {
            guard let needed = metric.metric.neededRepeats, needed > self.repeats else { continue }
            throw reader.place.error(
                .invalidValue,
                "\(metric.metric.rawValue) needs \(needed) texts for each row, but repeats is \(self.repeats); raise it"
            )
        }
        for pipeline in self.filters {
            let needs = self.metrics.first { $0.metric.neededRepeats != nil }
            if let needs, pipeline.filters.contains(.takeFirst) || pipeline.filters.contains(.majorityVote) {
                throw reader.place.error(
                    .invalidValue,
                    "\(needs.metric.rawValue) needs all texts of a row, but the filter \(pipeline.name) leaves one; remove "
                        + "take_first and majority_vote")
            }
            for case .takeFirstK(let count) in pipeline.filters where count > self.repeats {
                throw reader.place.error(
                    .invalidValue,
                    "the filter \(pipeline.name) takes \(count) texts of each row, but repeats is \(self.repeats); raise it"
                )
            }
        }
        try self.checkEpochs(reader.place)
        for (key, count) in [("repeats", self.repeats), ("epochs", self.epochs)] where count > 1 {
            guard self.generation?.sampling == nil else { continue }
            self.notes.append("\(key) is \(count), but greedy texts never differ; set do_sample and temperature")
        }
    }

    /// Refuses epochs where a metric's terms have no mean.
    func checkEpochs(_ place: ConfigurationNode.Place) throws(TaskError) {
        guard self.epochs > 1, let entry = self.metrics.first(where: { $0.aggregation == .bestThreshold }) else {
            return
        }
        throw place.error(
            .invalidValue, "\(entry.metric.name) can't be put together over epochs; leave epochs out, or this metric")
    }

    /// Refuses metrics that say nothing about programs, and programs that nothing says which are right.
    func checkCode(_ reader: MappingReader) throws(TaskError) {
        guard self.runsCode else { return }
        guard self.outputType == .generateUntil, self.processResults == nil else {
            throw reader.place.error(
                .invalidValue, "unsafe_code is for output_type generate_until without process_results")
        }
        for entry in self.metrics where !entry.metric.judgesPrograms {
            throw reader.place.error(
                .invalidValue,
                "unsafe_code is true, so the metric \(entry.metric.name) can't be computed; use pass@k, such as pass@1")
        }
    }
}
