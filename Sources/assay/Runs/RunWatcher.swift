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
        while true {
            let run = try await self.session.queue.run(matching: id.description)
            let progress = run.progress
            meter.add(seconds: (clock.now - start) / .seconds(1), done: Double(progress.samplesDone))
            // Until its own rate is known, that of the past is the best guess; asked for now and then only.
            if meter.rate == nil, look % 20 == 0 { outlook = try? await self.session.queue.outlook(of: run.id) }
            look += 1
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
