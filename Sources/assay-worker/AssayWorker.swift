internal import ArgumentParser
internal import Console
internal import Execution
internal import FoundationEssentials
internal import JobQueue
internal import Llama
internal import Logging
internal import Planning
internal import UVEventLoop

@main
struct AssayWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "assay-worker",
        abstract: "Claim shards, run batched inference on one device, publish and commit the results.",
        discussion: """
            SIGTERM or Ctrl-C finishes the shard in hand and leaves; a second one abandons the shard.
            Example:  assay-worker --device cuda:0
            """)

    @Flag(help: "Leave once nothing is left that could still run.")
    var drain = false

    @Flag(help: "Leave after one shard.")
    var once = false

    @Option(help: "auto, cpu or cuda:N.")
    var device = "auto"

    @Option(name: .customLong("run"), help: "Only shards of this run; a unique beginning will do.")
    var runPrefix: String?

    @Option(help: "Threads for computation on the CPU; results do not depend on it.")
    var threads: Int?

    @Option(help: "Seconds without a sign of life after which others get this worker's shards.")
    var leaseSeconds = 60

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard DeviceChoice(self.device) != nil else {
            throw ValidationError("--device is auto, cpu or cuda:N; this is '\(self.device)'")
        }
        guard (3...3600).contains(self.leaseSeconds) else { throw ValidationError("--lease-seconds is from 3 to 3600") }
        guard self.threads.map({ (1...1024).contains($0) }) ?? true else {
            throw ValidationError("--threads is from 1 to 1024")
        }
    }

    static func main() async { await CommandRunner.main(AssayWorker.self) }

    func run() async throws {
        let summary = try await Session.with(self.options, label: "assay-worker") { session in
            try await session.withSecondQueue { queue, loop in
                try await self.work(session, heartbeatQueue: queue, heartbeatLoop: loop)
            }
        }
        if self.options.json { return try Output.json(summary) }
        Output.line(
            "\(summary.committed) shards committed (\(summary.samples) samples, \(summary.tokens) tokens), "
                + "\(summary.failed) failed, \(summary.fenced + summary.released) given up")
    }

    private func work(
        _ session: Session, heartbeatQueue: PostgresJobQueue, heartbeatLoop: EventLoop
    ) async throws -> WorkerSummary {
        let signals = try await session.loop.signals([2, 15])
        var options = WorkerOptions(
            endsWhenDrained: self.drain, shardLimit: self.once ? 1 : nil, leaseTTL: .seconds(self.leaseSeconds))
        if let prefix = self.runPrefix { options.run = try await session.queue.run(matching: prefix).id }
        let engines = LlamaEngineProvider(
            device: DeviceChoice(self.device) ?? .auto, threads: self.threads, logger: session.logger)
        let worker = Worker(
            description: WorkerDescription(
                host: ProcessInfo.processInfo.hostName, pid: Int(ProcessInfo.processInfo.processIdentifier),
                device: self.device, engine: "llama.cpp"),
            options: options, queue: session.queue, heartbeatQueue: heartbeatQueue,
            heartbeatLoop: heartbeatLoop,
            processor: ShardRunner(store: try await session.store(), engines: engines), logger: session.logger)
        let clock = ScheduleClock(
            firer: ScheduleFirer(queue: session.queue), loop: session.loop, logger: session.logger)
        let schedules = Task { await clock.run() }
        defer { schedules.cancel() }
        let work = Task { try await worker.run() }
        let logger = session.logger
        let watch = Task {
            var isFirst = true
            for await signal in signals {
                if isFirst {
                    logger.notice("draining: the shard in hand is finished first", metadata: ["signal": "\(signal)"])
                    worker.drain()
                } else {
                    logger.warning("abandoning the shard in hand", metadata: ["signal": "\(signal)"])
                    work.cancel()
                }
                isFirst = false
            }
        }
        defer { watch.cancel() }
        return try await work.value
    }
}
