import Crypto
public import Evaluation
internal import Files
import HDF5

/// What a result says, as one hash: the same for the same work, whichever run, worker or library version wrote it.
///
/// With `net(s)` for the length of `s` in bytes as decimal digits, ":", the bytes of `s` and ",", a shard's digest is
/// the SHA-256, as lowercase hexadecimal digits, of
///
///     net("assay.shard.1")
///     net(name) net(value)          for each attribute of the root in `attributes` that is there, in that order;
///                                   integers as decimal digits
///     net(path) net(dtype) net(shape) net(data)
///                                   for each data set but /provenance, in ascending order of the bytes of its path
///
/// where `path` is absolute ("/samples/acc"), `dtype` is NumPy's `dtype.str` as h5py gives it ("<f8", "|b1", "|S12"),
/// `shape` the number of elements as decimal digits and `data` the elements, little-endian, without filters.
/// The run's and the job's identifiers and /provenance, which describes a run, are left out: what the work is stands in
/// the hashes among the attributes.
///
/// A job's digest is the SHA-256 of `net("assay.job.1")` and of `net(digest)` for each shard, in the shards' order.
public enum LogicalDigest {
    /// The attributes that say what the work is.
    static let attributes = [
        "format", "schema_version", "shard_index", "row_start", "row_count", "model_sha256", "tokenizer_sha256",
        "dataset_sha256", "task_hash", "engine", "engine_build", "device_kind", "engine_settings", "prompts_hash",
        "logits_mode",
    ]

    static func shard(_ header: ShardHeader, _ table: ColumnTable) throws(HDF5Error) -> String {
        var hasher = SHA256()
        put("assay.shard.1", into: &hasher)
        let values = header.attributes
        for name in attributes {
            guard let value = values[name] else { continue }
            put(name, into: &hasher)
            switch value {
            case .text(let text): put(text, into: &hasher)
            case .integer(let number): put("\(number)", into: &hasher)
            default: break
            }
        }
        let columns = table.values.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
        for (path, values) in columns {
            put(path, into: &hasher)
            put(values.elementType.name, into: &hasher)
            put("\(values.count)", into: &hasher)
            put(try values.bytes(on: path), into: &hasher)
        }
        return hasher.finalize().hexadecimal
    }

    static func job(_ shards: [String]) -> String {
        var hasher = SHA256()
        put("assay.job.1", into: &hasher)
        for digest in shards {
            put(digest, into: &hasher)
        }
        return hasher.finalize().hexadecimal
    }

    fileprivate static func put(_ text: String, into hasher: inout SHA256) {
        put(Array(text.utf8), into: &hasher)
    }

    fileprivate static func put(_ bytes: [UInt8], into hasher: inout SHA256) {
        let length = Array("\(bytes.count):".utf8)
        length.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        [UInt8(ascii: ",")].withUnsafeBytes { hasher.update(bufferPointer: $0) }
    }
}

extension Store {
    /// The digest of a job from its shards' digests in the order of their numbers; see `LogicalDigest`.
    public static func jobDigest(_ shardDigests: [String]) -> String {
        LogicalDigest.job(shardDigests)
    }
}

/// What a job's samples say, as one hash: nothing of how they were cut into shards, nor of what computed them.
///
/// With `net` as in `LogicalDigest` it is the SHA-256 of `net("assay.samples.1")` and, for each sample in the order of rows, of
/// `net` of the text
///
///     net(sample_id) net(row) net(target) net(cluster) net(prediction)
///     net(number of metrics), each net(name) net(value) net(weight) net(number of terms), each net(name) net(term),
///                                   net(number of epochs), each net(value)
///     net(finish_reason) net(n_prompt) net(n_generated) net(is_truncated) net(is_unparsed) net(prompt) net(generation)
///     net(number of texts), each net(text) net(finish_reason) net(n_tokens)
///     net(number of choices), each net(text) net(logprob) net(n_tokens) net(n_bytes) net(n_chars) net(is_greedy)
///     net(number of tokens), each net(token_id) net(logprob) net(is_prompt) net(request)
///
/// where integers and truth values (1, 0) are decimal digits, floating-point numbers their bits as hexadecimal digits without
/// leading zeros ("nan" for every NaN), and what is not there is empty.
public struct SamplesDigest: Sendable {
    private var hasher = SHA256()

    public init() { LogicalDigest.put("assay.samples.1", into: &self.hasher) }

    /// Takes the next samples.
    public mutating func add(_ samples: [SampleResult]) {
        for sample in samples {
            var text = NetText()
            text.put(sample)
            LogicalDigest.put(text.bytes, into: &self.hasher)
        }
    }

    /// 64 hexadecimal digits.
    public func finish() -> String { self.hasher.finalize().hexadecimal }
}

private struct NetText {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ text: String) {
        self.bytes += "\(text.utf8.count):".utf8
        self.bytes += text.utf8
        self.bytes.append(UInt8(ascii: ","))
    }

    mutating func put(_ number: Int) { self.put(String(number)) }
    mutating func put(_ isTrue: Bool) { self.put(isTrue ? "1" : "0") }
    mutating func put(_ number: Double) { self.put(number.isNaN ? "nan" : String(number.bitPattern, radix: 16)) }
    mutating func put(_ number: Float) { self.put(number.isNaN ? "nan" : String(number.bitPattern, radix: 16)) }

    mutating func put(_ sample: SampleResult) {
        self.put(sample.sampleID)
        self.put(sample.row)
        self.put(sample.target)
        self.put(sample.cluster ?? "")
        self.put(sample.prediction)
        self.put(sample.metrics.count)
        for metric in sample.metrics {
            self.put(metric.name)
            self.put(metric.value)
            self.put(metric.weight)
            self.put(metric.terms.count)
            for (name, term) in zip(metric.termNames, metric.terms) {
                self.put(name)
                self.put(term)
            }
            self.put(metric.epochs.count)
            for value in metric.epochs { self.put(value) }
        }
        self.put(sample.finishReason?.rawValue ?? "")
        self.put(sample.promptTokens)
        self.put(sample.generatedTokens)
        self.put(sample.isTruncated)
        self.put(sample.isUnparsed)
        self.put(sample.prompt)
        self.put(sample.generation)
        self.put(sample.generations.count)
        for generation in sample.generations {
            self.put(generation.text)
            self.put(generation.finishReason.rawValue)
            self.put(generation.tokenCount)
        }
        self.put(sample.choices.count)
        for choice in sample.choices {
            self.put(choice.text)
            self.put(choice.logProb)
            self.put(choice.tokenCount)
            self.put(choice.byteCount)
            self.put(choice.characterCount)
            self.put(choice.isGreedy)
        }
        self.put(sample.tokens.count)
        for token in sample.tokens {
            self.put(Int(token.tokenID))
            self.put(token.logProb)
            self.put(token.isPrompt)
            self.put(Int(token.request))
        }
    }
}
