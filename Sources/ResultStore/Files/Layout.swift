#if canImport(FoundationEssentials)
import struct FoundationEssentials.UUID
#else
import struct Foundation.UUID
#endif

/// The names of files and folders in the store.
enum Layout {
    static let datasets = "datasets"
    static let runs = "runs"
    static let reports = "reports"

    static func dataSet(_ sha256: String) throws(StoreError) -> StorePath {
        guard SHA256Text.isValid(sha256) else {
            throw StoreError(
                .invalidInput, path: datasets, "\"\(sha256)\" is no SHA-256; it has 64 digits of 0-9 and a-f.")
        }
        return try StorePath([datasets, "\(sha256).jsonl"])
    }

    static func job(run: String, job: String) throws(StoreError) -> [String] {
        try StorePath([runs, run, job]).components
    }

    static func shard(_ header: ShardHeader, epoch: Int, incarnation: UUID) throws(StoreError) -> StorePath {
        let file = ShardFileName(
            run: header.runID, job: header.jobID, shard: header.shardIndex, epoch: epoch, incarnation: incarnation)
        return try StorePath(try job(run: file.run, job: file.job) + [file.name])
    }

    static func jobFile(run: String, job: String, digest: String) throws(StoreError) -> StorePath {
        try StorePath(try Self.job(run: run, job: job) + ["job.\(digest).h5"])
    }

    /// The SHA-256 in the name of a data set; nil for any other name.
    static func sha256(ofDataSet name: String) -> String? {
        guard name.hasSuffix(".jsonl") else { return nil }
        let sha256 = String(name.dropLast(".jsonl".count))
        return SHA256Text.isValid(sha256) ? sha256 : nil
    }

    /// What a data set is called while it is decided whether it goes: to readers it is not there.
    static func dataSetAside(_ sha256: String) -> String { ".\(sha256).00000000.tmp" }

    /// The SHA-256 in the name of a data set that was put aside; nil for any other name.
    static func sha256(ofDataSetAside name: String) -> String? {
        let sha256 = String(name.dropFirst().prefix(64))
        return SHA256Text.isValid(sha256) && name == Self.dataSetAside(sha256) ? sha256 : nil
    }

    /// The digest in the name of a job's file; nil for any other name.
    static func digest(ofJobFile name: String) -> String? {
        guard name.hasPrefix("job."), name.hasSuffix(".h5") else { return nil }
        let digest = String(name.dropFirst(4).dropLast(3))
        return SHA256Text.isValid(digest) ? digest : nil
    }

    static func report(_ name: String, version: Int) throws(StoreError) -> StorePath {
        try StorePath([reports, name, "v\(version)"])
    }

    /// A name that no other writer uses and that no reader takes for a result.
    static func temporary(for name: String) -> String { ".\(name).\(UUID().uuidString.prefix(8).lowercased()).tmp" }
    static func isTemporary(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(".tmp") }
    /// What a process writes in a folder to find out whether it can.
    static let probe = "probe"
    static func isProbe(_ name: String) -> Bool { name.hasPrefix(".\(self.probe).") && self.isTemporary(name) }
}
