internal import AssayRuntime
internal import Console
internal import Execution
internal import FoundationEssentials
internal import Glibc
internal import Inference
internal import JobQueue
internal import Llama
internal import Logging
internal import Maintenance
internal import Planning
internal import PostgresQueue
internal import Sandbox
internal import UVEventLoop
internal import WorkerLogic

extension AssayWorker {
    /// Works in this process, on one device.
    func work() async throws -> WorkerSummary {
        var (settings, logger) = try self.options.resolve(label: "assay-worker")
        if let supervisor = self.supervisor {
            guard ParentProcess.dieWith(supervisor) else { throw UserError("the supervisor is gone") }
            logger[metadataKey: "device"] = self.deviceName.map { "\($0)" }
            logger[metadataKey: "process"] = self.processNumber.map { "\($0)" }
        }
        let description = self.description(of: try await EngineDevice.of(DeviceChoice(self.device) ?? .auto))
        var options = WorkerOptions(
            endsWhenDrained: self.drain, shardLimit: self.once ? 1 : nil, leaseTTL: .seconds(self.leaseSeconds),
            prefetches: !self.noPrefetch, storePatience: .seconds(self.storePatience),
            stallLimit: .seconds(self.stallMinutes * 60))
        return try await Session.withWorkerQueue(settings, logger: logger) { session in
            if let prefix = self.runPrefix { options.run = try await session.queue.run(matching: prefix).id }
            let patience = WorkerLease.heartbeatTimeout(ttl: options.leaseTTL)
            return try await session.withSecondQueue(patience: patience) { queue, loop in
                let engines = LlamaEngineProvider(
                    device: DeviceChoice(self.device) ?? .auto, threads: self.threads, logger: session.logger)
                let programs = self.runCode ? try await self.programs(on: session.loop) : nil
                let worker = Worker(
                    description: description, options: options, queue: session.queue, heartbeatQueue: queue,
                    heartbeatLoop: loop,
                    processor: try ShardRunner(
                        store: try await session.store(), engines: engines, programs: programs,
                        equalResults: { shard throws(QueueError) in
                            try await session.queue.equalResults(of: shard)
                        }, logger: session.logger),
                    logger: session.logger
                ) { _ in
                    // The reason is in the log.
                    _exit(Int32(WorkerExit.stalled))
                }
                return try await self.run(worker, session)
            }
        }
    }

    /// What this process can do, as jobs ask for it.
    private func description(of device: EngineDevice) -> WorkerDescription {
        WorkerDescription(
            host: ProcessInfo.processInfo.hostName, pid: Int(ProcessInfo.processInfo.processIdentifier),
            // A supervisor's worker sees only a part of the machine's devices.
            device: self.deviceName ?? device.name, deviceKind: device.kind,
            labels: self.labels + [WorkerLabel.rules] + (self.runCode ? [WorkerLabel.runsCode] : []),
            gpuMegabytes: device.gpuMegabytes, engine: device.engineBuild, identity: device.fingerprint)
    }

    /// Tries the sandbox before anything is claimed.
    private func programs(on loop: EventLoop) async throws -> SandboxedPrograms {
        do {
            let sandbox = try await Sandbox.find(on: loop)
            // A supervisor gives each of its workers its part of the processors.
            return SandboxedPrograms(
                sandbox, width: self.threads ?? ProcessInfo.processInfo.activeProcessorCount)
        } catch {
            throw UserError("--run-code: \(error.message)", hint: error.hint)
        }
    }

    /// Runs the worker and passes on what signals ask for.
    private func run(_ worker: Worker, _ session: Session) async throws -> WorkerSummary {
        let signalLoop = try EventLoop(name: "signals")
        let signals = try await signalLoop.signals(StopRequests.signals)
        let maintenance = MaintenanceServices(queue: session.queue, loop: session.loop, logger: session.logger)
        let besides = Task { await maintenance.run() }
        defer { besides.cancel() }
        let work = Task { try await worker.run() }
        let watch = SignalWatch(
            on: signalLoop, worker: worker, work: work, isSupervised: self.supervisor != nil, logger: session.logger)
        let watching = Task { await watch.run(signals) }
        let result = await work.result
        watching.cancel()
        await signalLoop.shutDown()
        return try result.get()
    }
}
