internal import ArgumentParser
internal import AssayRuntime
internal import Console
internal import Evaluation
internal import Execution
internal import JobQueue
internal import Llama
internal import TerminalText
internal import UVEventLoop
internal import WorkerLogic

@main
struct AssayWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "assay-worker",
        abstract: "Claim shards, run batched inference on one device or all, publish and commit the results.",
        discussion: """
            SIGTERM or Ctrl-C finishes the shard in hand and leaves; a second one, or SIGQUIT, abandons the shard and ends
            the process within ten seconds, whatever hangs in it.
            Example:  assay-worker --device cuda:0 --label h100
            Example:  assay-worker --all-devices --drain
            """, version: AssayVersion.text)

    @Flag(help: "Leave once nothing is left that could still run.")
    var drain = false

    @Flag(help: "Leave after one shard.")
    var once = false

    @Option(help: "auto, cpu or cuda:N.")
    var device = "auto"

    @Flag(help: "Keep a worker process running for every GPU (or one for the CPU where there is none).")
    var allDevices = false

    @Option(help: "With --all-devices: worker processes for each device.")
    var perDevice = 1

    @Option(name: .customLong("label"), help: "Something that jobs may ask for, such as h100; may be repeated.")
    var labels: [String] = []

    @Flag(help: "Run programs that models write (such as HumanEval's) in a sandbox, for jobs that allow it.")
    var runCode = false

    @Option(name: .customLong("run"), help: "Only shards of this run, given by any unique prefix.")
    var runPrefix: String?

    @Option(help: "Threads for computation on the CPU; results do not depend on it.")
    var threads: Int?

    @Flag(help: "Claim a shard only when the device is free; others get it sooner, and the device waits longer.")
    var noPrefetch = false

    @Option(help: "Seconds without a sign of life after which others get this worker's shards.")
    var leaseSeconds = 60

    @Option(help: "Seconds that a finished result is kept while the store takes nothing; then its attempt has failed.")
    var storePatience = 1800

    @Option(
        help: """
            Minutes without any progress of the device or the store after which the worker counts as hanging: it gives its \
            shards back and ends with status 75.
            """)
    var stallMinutes = 15.0

    // What a supervisor tells its workers.

    @Option(help: .hidden)
    var supervisor: Int32?

    @Option(help: .hidden)
    var deviceName: String?

    @Option(help: .hidden)
    var processNumber: Int?

    @Flag(name: .customLong("count-gpus"), help: .hidden)
    var countsGPUs = false

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        guard DeviceChoice(self.device) != nil else {
            throw ValidationError("--device is auto, cpu or cuda:N; this is '\(self.device)'")
        }
        guard (3...3600).contains(self.leaseSeconds) else { throw ValidationError("--lease-seconds is from 3 to 3600") }
        guard (0...86_400).contains(self.storePatience) else {
            throw ValidationError("--store-patience is from 0 to 86400")
        }
        guard (0.05...1440).contains(self.stallMinutes) else {
            throw ValidationError("--stall-minutes is from 0.05 to 1440")
        }
        guard self.threads.map({ (1...512).contains($0) }) ?? true else {
            throw ValidationError("--threads is from 1 to 512")
        }
        guard self.labels.allSatisfy({ (1...200).contains($0.utf8.count) }) else {
            throw ValidationError("a --label has 1 to 200 bytes")
        }
        guard !self.labels.contains(WorkerLabel.runsCode) else {
            throw ValidationError("--label \(WorkerLabel.runsCode) comes with --run-code, which also runs the code")
        }
        guard !self.labels.contains(where: { $0.hasPrefix(WorkerLabel.reservedPrefix) }) else {
            throw ValidationError("labels that begin with \(WorkerLabel.reservedPrefix) are reserved")
        }
        guard (1...64).contains(self.perDevice) else { throw ValidationError("--per-device is from 1 to 64") }
        guard self.allDevices || self.perDevice == 1 else {
            throw ValidationError("--per-device is for --all-devices")
        }
        guard !self.allDevices || self.device == "auto" else {
            throw ValidationError("--all-devices uses all devices; leave out --device \(self.device)")
        }
    }

    static func main() async { await CommandRunner.main(AssayWorker.self) }

    func run() async throws {
        if self.countsGPUs { return Output.line("\(LlamaDevice.cudaCount)") }
        let summary = self.allDevices ? try await self.supervise() : try await self.work()
        if self.options.json {
            try Output.json(summary)
        } else {
            Output.line(
                "\(summary.committed) shards committed (\(summary.samples) samples, \(summary.tokens) tokens), "
                    + "\(Format.counted(summary.failed, "attempt")) failed, \(summary.givenUp) given up, "
                    + "\(summary.fenced + summary.released) left to others")
        }
        if let reason = summary.reasonForLeaving {
            throw UserError(
                "nothing can be done here: \(reason)", hint: "look at this node, or run `assay doctor` on it")
        }
        // A supervisor counts the shards of its workers itself, and would start one again that ends so.
        guard self.drain || self.once, self.supervisor == nil, summary.givenUp > 0 else { return }
        throw UserError(
            "\(Format.counted(summary.givenUp, "shard")) failed for good and \(summary.givenUp == 1 ? "has" : "have") no result",
            hint: "see why with `assay logs --failed RUN`; `assay retry --failed RUN` has them tried again")
    }
}
