internal import Console
internal import FoundationEssentials
internal import JobQueue
internal import Synchronization
internal import UVEventLoop

/// A worker process that this command starts for one run.
struct LocalWorker {
    let session: Session
    let configuration: ProcessConfiguration

    /// - Parameter runsCode: The run's job file allows programs that models write.
    init(session: Session, device: String, run: RunID, runsCode: Bool) throws(CommandFailure) {
        self.session = session
        let settings = session.settings
        var environment = Programs.environment
        environment["ASSAY_HOME"] = settings.home.value
        environment["ASSAY_STORE"] = settings.store.value
        environment["ASSAY_DATABASE_URL"] = settings.databaseURL?.value
        environment["ASSAY_DATABASE_POOLER"] = settings.databasePooler.value
        environment["ASSAY_LOG"] = settings.logLevel.value
        environment["ASSAY_LOG_FORMAT"] = settings.logFormat.value
        // Ctrl-C goes to this command alone, which then asks the worker to drain.
        self.configuration = ProcessConfiguration(
            try Programs.find("assay-worker"),
            ["--drain", "--run", run.description, "--device", device]
                + (runsCode ? ["--run-code"] : []),
            environment: environment, standardOutput: .null, hasOwnGroup: true)
    }

    /// Runs `body` while the worker works; `body` is told whether it still lives.
    func work(_ body: (_ isAlive: @escaping () -> Bool) async throws -> RunRecord) async throws -> RunRecord {
        let signals = try await self.session.loop.signals([2, 15])
        let child = try await self.session.loop.spawn(self.configuration)
        let interruptions = Interruptions()
        let forwarding = Task {
            for await _ in signals {
                Output.note(
                    interruptions.count() == 1
                        ? "\nfinishing the shard in hand; interrupt again to abandon it" : "\nabandoning the shard")
                try? await child.send(signal: 15)
            }
        }
        defer { forwarding.cancel() }
        let run = try await body { child.result == nil }
        let result = try await child.waitForExit()
        if run.state.isSettled { return run }
        // The worker may have committed its last shard after the last look.
        let latest = try await self.session.queue.run(matching: run.id.description)
        if latest.state.isSettled { return latest }
        if interruptions.isAny {
            throw CommandFailure(
                "interrupted: run \(run.id) has \(latest.progress.samplesDone) of \(latest.progress.samples) samples",
                hint: "go on with `assay-worker --drain --run \(run.id)`, or `assay cancel \(run.id)`",
                exitCode: .interrupted)
        }
        throw CommandFailure(
            "the worker ended (\(result.termination)) before run \(run.id) was done",
            hint: "go on with `assay-worker --drain --run \(run.id)`")
    }
}

private final class Interruptions: Sendable {
    private let number = Atomic(0)

    func count() -> Int { self.number.add(1, ordering: .relaxed).newValue }

    var isAny: Bool { self.number.load(ordering: .relaxed) > 0 }
}
