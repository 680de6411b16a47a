extension TaskConfiguration {
    /// The pool that the task's examples come from, reduced to what it needs.
    ///
    /// - Parameter split: The rows of the few-shot split; not needed if the task lists its samples.
    /// - Throws: `TaskError` if there are too few.
    func examplePool(_ split: DataSet?) throws(TaskError) -> FewShotPool {
        guard self.fewShot.count > 0 else { return .listed([]) }
        let pool: FewShotPool
        if let samples = self.fewShot.samples {
            pool = .listed(samples)
        } else if let split {
            if let row = self.fewShot.indices?.first(where: { $0 >= split.rowCount }) {
                throw TaskError(
                    .invalidData, "fewshot_indices names row \(row), but the split has only \(split.rowCount)",
                    file: self.file)
            }
            pool = .dataSet(split, rows: self.fewShot.indices)
        } else {
            throw TaskError(
                .invalidData, "the rows that few-shot examples are drawn from are not here", file: self.file)
        }
        return self.fewShot.sampler == .firstN ? .listed(try self.firstSamples(of: pool)) : pool
    }

    /// The shortest start of `pool` that has enough examples for every row.
    ///
    /// A row's own copies are left out, so that may be more than one row more.
    private func firstSamples(of pool: FewShotPool) throws(TaskError) -> [JSONValue] {
        var samples: [JSONValue] = []
        var copies: [String: Int] = [:]
        var most = 0
        while samples.count - most < self.fewShot.count {
            guard samples.count < pool.count else { throw self.tooFewSamples(pool.count) }
            let document = try pool.document(at: samples.count)
            samples.append(document)
            guard self.dropsOwnDocument else { continue }
            copies[document.text(sortingKeys: true), default: 0] += 1
            most = max(most, copies[document.text(sortingKeys: true)] ?? 0)
        }
        return samples
    }

    private func tooFewSamples(_ count: Int) -> TaskError {
        TaskError(
            .invalidData,
            "num_fewshot is \(self.fewShot.count), but \(self.fewShotSplit.map { "the few-shot split \($0)" } ?? "the list of samples") "
                + "has too few rows (\(count)); lower it or add rows", file: self.file)
    }
}
