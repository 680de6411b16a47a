import Evaluation
import Foundation
import Glibc
import ResultStore

/// A store in a folder of its own that goes away with the value.
final class TemporaryStore: Sendable {
    let path: String
    let store: Store

    /// - Parameter inMemory: For tests of many files, which a disk would take long to flush.
    init(inMemory: Bool = false) async throws {
        let folder = inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        self.path = folder + "/assay-store-\(UUID().uuidString)"
        self.store = try await Store.create(root: self.path)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    func url(_ relative: String) -> URL { URL(fileURLWithPath: "\(self.path)/\(relative)") }

    /// Every file in the store, relative to its root.
    func files() -> [String] {
        let all = FileManager.default.enumerator(atPath: self.path)?.allObjects as? [String] ?? []
        return all.filter { path in
            guard path != ".assay-store" else { return false }
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(self.path)/\(path)", isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }

    func bytes(_ relative: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: self.url(relative))) }
}

extension ShardHeader {
    /// A header of a made-up job.
    static func sample(
        run: String = "k3f9m2ab", index: Int = 0, start: Int = 0, count: Int, mode: LogitsMode = .tokens,
        provenance: String = #"{"task":"hellaswag"}"#
    ) -> ShardHeader {
        ShardHeader(
            runID: run, jobID: "\(run).1", shardIndex: index, rowStart: start, rowCount: count,
            modelSHA256: String(repeating: "a", count: 64), tokenizerSHA256: String(repeating: "b", count: 64),
            datasetSHA256: String(repeating: "c", count: 64), taskHash: String(repeating: "d", count: 64),
            engine: "llama.cpp", engineBuild: "b6000", deviceKind: "cpu",
            settings: ResultSettings(
                engine: #"{"batch_tokens":512,"kv_type":"f16"}"#, promptsHash: String(repeating: "e", count: 64)),
            logitsMode: mode, provenance: provenance)
    }
}

/// A generator with a seed, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension SampleResult {
    /// Samples with all that can be in them: no choices, no tokens, empty and non-ASCII text, infinities.
    static func random(
        _ count: Int, start: Int = 0, seed: UInt64, metrics: [String] = ["acc", "acc_norm,none"], weighted: Bool = false
    ) -> [SampleResult] {
        var generator = SeededGenerator(seed: seed)
        return (start..<start + count).map { row in
            .random(row: row, metrics: metrics, weighted: weighted, using: &generator)
        }
    }

    /// Samples with several texts and epochs each, and with a metric that has terms.
    static func severalTexts(_ count: Int, start: Int = 0, seed: UInt64) -> [SampleResult] {
        var samples = Self.random(count, start: start, seed: seed)
        var generator = SeededGenerator(seed: seed)
        for index in samples.indices {
            samples[index].generations = (0..<3).map { number in
                GenerationResult(
                    text: .random(using: &generator), finishReason: FinishReason.allCases[number], tokenCount: number)
            }
            samples[index].metrics[0].termNames = ["gold", "prediction"]
            samples[index].metrics[0].terms = [Double(index), .random(in: 0...1, using: &generator)]
            for metric in samples[index].metrics.indices {
                samples[index].metrics[metric].epochs = (0..<3).map { _ in .random(in: 0...1, using: &generator) }
            }
        }
        return samples
    }

    private static func random(
        row: Int, metrics: [String], weighted: Bool, using generator: inout SeededGenerator
    ) -> SampleResult {
        let choices = (0..<Int.random(in: 0...4, using: &generator)).map { index in
            ChoiceResult(
                text: .random(using: &generator),
                logProb: index == 3 ? -.infinity : .random(in: -99...0, using: &generator),
                tokenCount: .random(in: 1...50, using: &generator), byteCount: .random(in: 0...99, using: &generator),
                characterCount: .random(in: 0...99, using: &generator), isGreedy: .random(using: &generator))
        }
        let tokens = (0..<Int.random(in: 0...20, using: &generator)).map { index in
            TokenResult(
                tokenID: .random(in: 0...50_000, using: &generator), logProb: .random(in: -20...0, using: &generator),
                isPrompt: index < 5, request: Int32(index / 7))
        }
        return SampleResult(
            sampleID: "sample-\(row)-é", row: row, target: .random(using: &generator),
            prediction: .random(using: &generator),
            metrics: metrics.map { name in
                MetricValue(
                    name: name, value: .random(in: 0...1, using: &generator),
                    weight: weighted ? .random(in: 1...9, using: &generator) : 1)
            },
            finishReason: ([nil] + FinishReason.allCases).randomElement(using: &generator) ?? nil,
            promptTokens: .random(in: 1...900, using: &generator),
            generatedTokens: .random(in: 0...90, using: &generator), isTruncated: .random(using: &generator),
            isUnparsed: .random(using: &generator), prompt: .random(using: &generator),
            generation: .random(using: &generator) + (row % 5 == 0 ? "\0nul" : ""), choices: choices, tokens: tokens)
    }

    /// What is left of a sample in a file of a logits mode.
    func kept(_ mode: LogitsMode) -> SampleResult {
        var copy = self
        if mode == .none { copy.choices = [] }
        if mode != .tokens { copy.tokens = [] }
        return copy
    }
}

extension String {
    fileprivate static func random(using generator: inout SeededGenerator) -> String {
        let alphabet = Array("abc xyz\nÄöß—漢字🙂\"\\/")
        return String(
            (0..<Int.random(in: 0...30, using: &generator)).compactMap { _ in alphabet.randomElement(using: &generator)
            })
    }
}
