extension TaskConfiguration {
    /// Whether a row is left out of its own examples: the examples come from the split that is evaluated.
    var dropsOwnDocument: Bool { self.fewShotSplit == self.evaluationSplit }

    /// The shortest start of `pool` that has enough examples for every row.
    ///
    /// A row's own copies are left out, so that may be more than one row more.
    func neededSamples(from pool: [JSONValue]) throws(TaskError) -> [JSONValue] {
        var needed = SampleCount(wanted: self.fewShot.count, dropsOwn: self.dropsOwnDocument)
        var samples: [JSONValue] = []
        for document in pool where !needed.isEnough {
            samples.append(document)
            needed.add(document)
        }
        guard needed.isEnough else { throw self.tooFewSamples(pool.count) }
        return samples
    }

    func neededSamples(from pool: DataSet) throws(TaskError) -> [JSONValue] {
        var needed = SampleCount(wanted: self.fewShot.count, dropsOwn: self.dropsOwnDocument)
        var samples: [JSONValue] = []
        for row in 0..<pool.rowCount where !needed.isEnough {
            let document = try pool.document(at: row).value
            samples.append(document)
            needed.add(document)
        }
        guard needed.isEnough else { throw self.tooFewSamples(pool.rowCount) }
        return samples
    }

    private func tooFewSamples(_ count: Int) -> TaskError {
        TaskError(
            .invalidData,
            "num_fewshot is \(self.fewShot.count), but the few-shot split \(self.fewShotSplit ?? "") has too few rows "
                + "(\(count)); lower it or add rows", file: self.file)
    }
}

private struct SampleCount {
    let wanted: Int
    let dropsOwn: Bool
    private var total = 0
    private var copies: [String: Int] = [:]
    private var most = 0

    init(wanted: Int, dropsOwn: Bool) {
        self.wanted = wanted
        self.dropsOwn = dropsOwn
    }

    var isEnough: Bool { self.total - self.most >= self.wanted }

    mutating func add(_ document: JSONValue) {
        self.total += 1
        guard self.dropsOwn else { return }
        let copies = self.copies[document.text(sortingKeys: true), default: 0] + 1
        self.copies[document.text(sortingKeys: true)] = copies
        self.most = max(self.most, copies)
    }
}
