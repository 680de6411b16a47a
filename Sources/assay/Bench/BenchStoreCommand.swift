internal import ArgumentParser
internal import Console
internal import Evaluation
internal import FoundationEssentials
internal import Glibc
internal import ResultStore

struct BenchStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Measure the store: publishing shards, joining them to a job's file, verifying it.",
        discussion: """
            Makes a store with one made-up job of multiple choice in FOLDER, which must not exist, and removes it unless
            --keep is given. Shards are flushed to the disk one by one, as a worker does it.
            Example:  assay bench store /scratch/bench --samples 1000000 --shards 10000
            """)

    @Argument(help: "A folder to make on the file system to be measured.")
    var folder: String

    @Option(help: "Samples of the job, of four choices each.")
    var samples = 100_000

    @Option(help: "Shards that they are published in.")
    var shards = 1000

    @Flag(help: "Leave the store there.")
    var keep = false

    @OptionGroup var options: GlobalOptions

    struct Answer: Encodable {
        var samples: Int
        var shards: Int
        var publishSeconds: Double
        var joinSeconds: Double
        var verifySeconds: Double
        var shardBytes: Int
        var jobFileBytes: Int
        /// What the process took at most, in bytes.
        var peakMemory: Int
        var jobFile: String
    }

    func validate() throws {
        guard self.shards > 0, self.samples >= self.shards else {
            throw ValidationError("--shards is at least 1, and --samples at least as many")
        }
    }

    func run() async throws {
        guard !FileManager.default.fileExists(atPath: self.folder) else {
            throw CommandFailure("'\(self.folder)' is there already", hint: "name a folder that does not exist")
        }
        let store = try await Store.create(root: self.folder)
        defer { if !self.keep { try? FileManager.default.removeItem(atPath: self.folder) } }
        let clock = ContinuousClock()
        var files: [PublishedFile] = []
        let publishing = try await clock.measure {
            for shard in 0..<self.shards { files.append(try await self.publish(shard, in: store)) }
        }
        var job: PublishedFile?
        let joining = try await clock.measure {
            job = try await store.buildJobFile(runID: BenchJob.run, jobID: BenchJob.job, shards: files)
        }
        guard let job else { return }
        var issues: [VerificationIssue] = []
        let verifying = try await clock.measure { issues = try await store.verifyJobFile(job, shards: files) }
        guard issues.isEmpty else { throw CommandFailure("\(issues.count) files are not as published") }
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        let answer = Answer(
            samples: self.samples, shards: self.shards, publishSeconds: publishing / .seconds(1),
            joinSeconds: joining / .seconds(1), verifySeconds: verifying / .seconds(1),
            shardBytes: files.reduce(0) { $0 + $1.bytes }, jobFileBytes: job.bytes,
            peakMemory: Int(usage.ru_maxrss) * 1024, jobFile: try store.absolutePath(job.path))
        if self.options.json { return try Output.json(answer) }
        func rate(_ seconds: Double) -> String { "\(Format.fixed(Double(self.shards) / seconds, 0)) shards/s" }
        var table = Table("step", ">seconds", ">rate")
        table.add("publish", Format.fixed(answer.publishSeconds, 1), rate(answer.publishSeconds))
        table.add("join", Format.fixed(answer.joinSeconds, 1), rate(answer.joinSeconds))
        table.add("verify", Format.fixed(answer.verifySeconds, 1), rate(answer.verifySeconds))
        Output.line(table.rendered(on: .standardOutput(environment: self.options.environment)))
        Output.line(
            "shards \(Format.bytes(Int64(answer.shardBytes))), job's file \(Format.bytes(Int64(answer.jobFileBytes))), "
                + "memory at most \(Format.bytes(Int64(answer.peakMemory)))")
        if self.keep { Output.line("\(answer.jobFile)") }
    }

    private func publish(_ shard: Int, in store: Store) async throws -> PublishedFile {
        let rows = shard * self.samples / self.shards..<(shard + 1) * self.samples / self.shards
        return try await store.publishShard(
            BenchJob.header(shard, rows), samples: rows.map(BenchJob.sample), epoch: 1, incarnation: UUID())
    }
}

/// A made-up job, the same each time.
private enum BenchJob {
    static let run = "bench000"
    static let job = "bench000.0"

    static func header(_ shard: Int, _ rows: Range<Int>) -> ShardHeader {
        func hash(_ digit: Character) -> String { String(repeating: digit, count: 64) }
        return ShardHeader(
            runID: self.run, jobID: self.job, shardIndex: shard, rowStart: rows.lowerBound, rowCount: rows.count,
            modelSHA256: hash("a"), tokenizerSHA256: hash("b"), datasetSHA256: hash("c"), taskHash: hash("d"),
            engine: "none", engineBuild: "bench", deviceKind: "cpu", logitsMode: .choices, provenance: "{}")
    }

    static func sample(_ row: Int) -> SampleResult {
        // A mixture that no filter makes much of, and that is the same everywhere.
        func random(_ number: Int) -> Double {
            var state = UInt64(truncatingIfNeeded: row &* 4 &+ number) &* 0x9E37_79B9_7F4A_7C15
            state = (state ^ (state >> 31)) &* 0xBF58_476D_1CE4_E5B9
            return Double((state ^ (state >> 29)) >> 11) / Double(1 << 53)
        }
        let choices = (0..<4).map { number in
            ChoiceResult(
                text: " ending \(number) of question \(row)", logProb: -40 * random(number), tokenCount: 6,
                byteCount: 28, characterCount: 28, isGreedy: false)
        }
        let best = choices.indices.max { choices[$0].logProb < choices[$1].logProb } ?? 0
        return SampleResult(
            sampleID: "question-\(row)", row: row, target: "\(row % 4)", prediction: "\(best)",
            metrics: [
                MetricValue(name: "acc", value: best == row % 4 ? 1 : 0),
                MetricValue(name: "acc_norm", value: random(9) < 0.4 ? 1 : 0),
            ], promptTokens: 80, prompt: "This is what question \(row) of the data set asks.", choices: choices)
    }
}
