internal import AssayRuntime
internal import Console
internal import Execution
internal import FoundationEssentials
internal import Logging
internal import UVEventLoop
internal import WorkerLogic

extension AssayWorker {
    /// Keeps worker processes running on all devices.
    func supervise() async throws -> WorkerSummary {
        let (settings, logger) = try self.options.resolve(label: "assay-worker")
        let loop = try EventLoop(name: "supervisor")
        let outcome: Supervisor.Outcome
        do {
            let signals = try await loop.signals(StopRequests.signals)
            let children = try await self.children(settings, on: loop)
            logger.notice("supervising", metadata: ["workers": "\(children.count)"])
            outcome = await Supervisor(children, on: loop, logger: logger).run(signals: signals)
        } catch {
            await loop.shutDown()
            throw error
        }
        await loop.shutDown()
        guard outcome.failures == 0 else {
            throw UserError(
                "\(outcome.failures) of the workers did not end as they should; "
                    + "\(outcome.summary.committed) shards were committed",
                hint: "look at the log above, or at `assay worker list`")
        }
        return outcome.summary
    }

    private func children(_ settings: Settings, on loop: EventLoop) async throws -> [Supervisor.Child] {
        let program = try Programs.find("assay-worker")
        let inherited = Programs.environment
        var common = inherited
        common["ASSAY_HOME"] = settings.home.value
        common["ASSAY_STORE"] = settings.store.value
        common["ASSAY_DATABASE_URL"] = settings.databaseURL?.value
        common["ASSAY_DATABASE_POOLER"] = settings.databasePooler.value
        common["ASSAY_LOG"] = settings.logLevel.value
        common["ASSAY_LOG_FORMAT"] = settings.logFormat.value
        let gpus = try await self.countGPUs(program, on: loop)
        let devices = DeviceAssignment.all(gpus: gpus, visible: inherited["CUDA_VISIBLE_DEVICES"])
        // Threads wait for each other in busy loops, so together there must not be more than there are processors.
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let threads = self.threads ?? max(1, processors / (devices.count * self.perDevice))
        return devices.flatMap { device in
            (0..<self.perDevice).map { number in
                var environment = common
                if let visible = device.visibleDevices { environment["CUDA_VISIBLE_DEVICES"] = visible }
                let arguments =
                    self.arguments + [
                        "--threads", "\(threads)", "--device", device.visibleDevices == nil ? "cpu" : "cuda:0",
                        "--device-name", device.name, "--process-number", "\(number)",
                    ]
                // Ctrl-C goes to the supervisor alone, which then asks its workers to drain.
                return Supervisor.Child(
                    device: device.name, number: number,
                    configuration: ProcessConfiguration(
                        program, arguments, environment: environment, standardOutput: .capture(limit: 65536),
                        hasOwnGroup: true))
            }
        }
    }

    /// What every worker gets of this command line.
    private var arguments: [String] {
        var arguments = ["--json", "--supervisor", "\(ProcessInfo.processInfo.processIdentifier)"]
        arguments += ["--lease-seconds", "\(self.leaseSeconds)"]
        arguments += ["--store-patience", "\(self.storePatience)", "--stall-minutes", "\(self.stallMinutes)"]
        if self.drain { arguments.append("--drain") }
        if self.once { arguments.append("--once") }
        if self.runCode { arguments.append("--run-code") }
        if self.noPrefetch { arguments.append("--no-prefetch") }
        if let prefix = self.runPrefix { arguments += ["--run", prefix] }
        for label in self.labels { arguments += ["--label", label] }
        return arguments
    }

    /// Asks a process that ends at once: to look at a GPU takes memory on it for as long as the process lives.
    private func countGPUs(_ program: String, on loop: EventLoop) async throws -> Int {
        let result = try await loop.run(
            ProcessConfiguration(program, ["--count-gpus"], standardOutput: .capture(limit: 4096)))
        let text = result.standardOutput.text.filter { $0.isNumber }
        guard result.termination.isSuccess, let count = Int(text) else {
            throw UserError("the GPUs can't be counted: \(program) --count-gpus ended with \(result.termination)")
        }
        return count
    }
}
