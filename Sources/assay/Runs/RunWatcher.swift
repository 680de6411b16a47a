internal import Console
internal import JobQueue
internal import UVEventLoop

/// Follows a run until it has ended, with rate and time left.
struct RunWatcher {
    let session: Session
    let environment: [String: String]

    /// Shows progress on standard error, and answers the run once nothing of it is open any more.
    ///
    /// - Parameter isStillUseful: False ends the watch early; for a local worker that died.
    func follow(_ id: RunID, while isStillUseful: () -> Bool = { true }) async throws -> RunRecord {
        var line = ProgressLine(terminal: .standardError(environment: self.environment))
        var meter = RateMeter()
        let clock = ContinuousClock()
        let start = clock.now
        var outlook: RunOutlook?
        var look = 0
        var said: [String] = []
        while true {
            let run = try await self.session.queue.run(matching: id.description)
            let progress = run.progress
            meter.add(seconds: (clock.now - start) / .seconds(1), done: Double(progress.samplesDone))
            // Until its own rate is known, that of the past is the best guess; asked for now and then only.
            if meter.rate == nil, look % 20 == 0 { outlook = try? await self.session.queue.outlook(of: run.id) }
            look += 1
            // Workers that were just started need a moment to register.
            if look % 10 == 0, let reason = try? await self.obstacle(of: run), !said.contains(reason) {
                said.append(reason)
                line.finish()
                Output.note("run \(run.id) does not go on: \(lines: reason)")
            }
            line.show(
                self.describe(run, meter.rate, outlook),
                percent: Format.percent(progress.samplesDone, of: progress.samples))
            if run.state.isSettled || !isStillUseful() {
                line.finish()
                return run
            }
            try await self.session.loop.sleep(for: .milliseconds(500))
        }
    }

    /// What keeps everything that is left of a run waiting for somebody to do something, if that is so.
    ///
    /// `nil` while a shard is computed or a worker could take one. The first open job stands for all.
    private func obstacle(of run: RunRecord) async throws(QueueError) -> String? {
        let shards = run.progress.shards
        guard shards.running == 0, shards.open > 0,
            try await self.session.queue.outlook(of: run.id).workersSuitable == 0,
            let job = try await self.session.queue.jobs(of: run.id).first(where: { $0.progress.shards.ready > 0 })
        else { return nil }
        let facts = try await self.session.queue.facts(of: job.id)
        guard facts.job.gate == .open, facts.workers.suitable == 0 else { return nil }
        let explanation = Explanation(facts)
        return ([explanation.reasons.joined(separator: " ")] + explanation.remedies.map { "  \($0)" })
            .joined(separator: "\n")
    }

    private func describe(_ run: RunRecord, _ rate: Double?, _ outlook: RunOutlook?) -> PrintedText {
        let progress = run.progress
        var text: PrintedText =
            "\(run.id) \(run.name): \(run.state.rawValue), \(progress.samplesDone)/\(progress.samples) samples, "
            + "\(progress.shards.done)/\(progress.shards.total) shards"
        if progress.shards.running > 0 { text += ", \(progress.shards.running) running" }
        if progress.shards.failed > 0 { text += ", \(progress.shards.failed) failed" }
        if let rate, progress.samplesDone < progress.samples {
            let left = Double(progress.samples - progress.samplesDone) / rate
            text += ", \(Format.fixed(rate, 1)) samples/s, \(RateMeter.describe(seconds: left)) left"
        } else if let expected = outlook?.expectedDuration, !run.state.isSettled {
            text += ", about \(RateMeter.describe(seconds: expected / .seconds(1))) at the usual pace"
        }
        return text
    }

    /// Fails unless the run is done.
    static func check(_ run: RunRecord) throws(CommandFailure) {
        guard run.state != .done else { return }
        throw CommandFailure(
            "run \(run.id) is \(run.state.rawValue)", hint: "see why with `assay show \(run.id)`")
    }
}
