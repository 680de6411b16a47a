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

    /// What the services beside the worker have to end once it has: their last question to the database is answered by then.
    private static let shutdownDeadline: Duration = .seconds(6)

    /// Runs the worker, what it does for the queue beside its work, and the watch for signals, which ends last.
    private func run(_ worker: Worker, _ session: Session) async throws -> WorkerSummary {
        let signalLoop = try EventLoop(name: "signals")
        let services = ProcessServices(deadline: Self.shutdownDeadline, logger: session.logger)
        let watch = SignalWatch(
            on: signalLoop, services: services, isSupervised: self.supervisor != nil, logger: session.logger
        ) { await worker.leaveAtOnce() }
        let maintenance = MaintenanceServices(queue: session.queue, loop: session.loop, logger: session.logger)
        let result: Result<WorkerSummary, any Error>
        do {
            let signals = try await signalLoop.signals(StopRequests.signals)
            services.add("signals") { await watch.run(signals) }
            services.add("maintenance") { await maintenance.run() }
            result = .success(
                try await services.run("worker", finish: { worker.drain() }) { try await worker.run() })
        } catch {
            result = .failure(error)
        }
        await signalLoop.shutDown()
        return try result.get()
    }
}
