import Crypto
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
        return SHA256Text.text(hasher.finalize())
    }

    static func job(_ shards: [String]) -> String {
        var hasher = SHA256()
        put("assay.job.1", into: &hasher)
        for digest in shards {
            put(digest, into: &hasher)
        }
        return SHA256Text.text(hasher.finalize())
    }

    private static func put(_ text: String, into hasher: inout SHA256) {
        put(Array(text.utf8), into: &hasher)
    }

    private static func put(_ bytes: [UInt8], into hasher: inout SHA256) {
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
