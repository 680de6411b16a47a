internal import Crypto
internal import Files

#if canImport(FoundationEssentials)
public import struct FoundationEssentials.UUID
#else
public import struct Foundation.UUID
#endif

/// The names of files and folders in the store.
enum Layout {
    static let datasets = "datasets"
    static let runs = "runs"
    static let reports = "reports"

    static func dataSet(_ sha256: String) throws(StoreError) -> StorePath {
        guard SHA256.isText(sha256) else {
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
        return SHA256.isText(sha256) ? sha256 : nil
    }

    /// What a data set is called while it is decided whether it goes: to readers it is not there.
    static func dataSetAside(_ sha256: String) -> String { ".\(sha256).00000000.tmp" }

    /// The SHA-256 in the name of a data set that was put aside; nil for any other name.
    static func sha256(ofDataSetAside name: String) -> String? {
        let sha256 = String(name.dropFirst().prefix(64))
        return SHA256.isText(sha256) && name == Self.dataSetAside(sha256) ? sha256 : nil
    }

    /// The digest in the name of a job's file; nil for any other name.
    static func digest(ofJobFile name: String) -> String? {
        guard name.hasPrefix("job."), name.hasSuffix(".h5") else { return nil }
        let digest = String(name.dropFirst(4).dropLast(3))
        return SHA256.isText(digest) ? digest : nil
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

/// The claim that a shard's file belongs to, as its place and name in the store say, in whichever of the two forms.
public struct ShardFileName: Sendable, Hashable {
    public var run: String
    public var job: String
    public var shard: Int
    public var epoch: Int
    public var incarnation: UUID

    public init(run: String, job: String, shard: Int, epoch: Int, incarnation: UUID) {
        self.run = run
        self.job = job
        self.shard = shard
        self.epoch = epoch
        self.incarnation = incarnation
    }

    /// Reads the name of a shard's file, or of the temporary file that it is written to; `nil` for any other name.
    init?(run: String, job: String, name: String) {
        var name = Substring(name)
        if Layout.isTemporary(String(name)) {
            // ".<name>.<eight digits>.tmp"
            name = name.dropFirst().dropLast(".tmp".count)
            guard let end = name.lastIndex(of: ".") else { return nil }
            name = name[..<end]
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).suffix(4)
        guard parts.count == 4, let first = parts.first, let shard = Int(first.dropFirst("shard-".count)), shard >= 0,
            let epoch = Int(parts[parts.startIndex + 1].dropFirst()), epoch > 0,
            let incarnation = UUID(uuidString: String(parts[parts.startIndex + 2]))
        else { return nil }
        self.init(run: run, job: job, shard: shard, epoch: epoch, incarnation: incarnation)
        guard name == self.name || name == self.nameInJob else { return nil }
    }

    /// Reads the path of a shard's file in the store; `nil` for any other path, also of a file that is named for another job
    /// than its folder.
    init?(_ path: StorePath) {
        let parts = path.components
        guard parts.count == 4, parts[0] == Layout.runs else { return nil }
        self.init(run: parts[1], job: parts[2], name: parts[3])
    }

    /// The file's own name, such as "k3f9m2ab.0.shard-17.e1.<incarnation>.h5".
    ///
    /// No two shards of any jobs have one name: HDF5 finds the files of a job's virtual data sets by their names alone, beside
    /// the job's file and in the current folder, and would show another job's tokens. The job stands first, so that a
    /// folder with the files of several jobs lists each job's together.
    var name: String { "\(self.job).\(self.nameInJob)" }

    /// The name that older releases gave the file, which says nothing of the job.
    private var nameInJob: String {
        "shard-\(self.shard).e\(self.epoch).\(self.incarnation.uuidString.lowercased()).h5"
    }
}

/// A path inside the store whose every component is a plain name, so that it cannot leave the store.
struct StorePath: Sendable, Hashable {
    let components: [String]

    /// Takes components made by the store itself or validates names from outside.
    init(_ components: [String]) throws(StoreError) {
        for component in components {
            guard Self.isName(component) else {
                throw StoreError(
                    .invalidInput, path: components.joined(separator: "/"),
                    "\"\(component)\" is no name in the store; use 1 to 200 of A-Z a-z 0-9 . _ - and no dot in front.")
            }
        }
        self.components = components
    }

    /// Parses "a/b/c".
    init(parsing text: String) throws(StoreError) {
        try self.init(text.split(separator: "/", omittingEmptySubsequences: false).map(String.init))
    }

    var text: String { self.components.joined(separator: "/") }
    var name: String { self.components.last ?? "" }
    var folder: [String] { self.components.dropLast() }

    static func isName(_ text: String) -> Bool {
        let isAllowed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isAllowed && (1...200).contains(text.utf8.count) && !text.hasPrefix(".")
    }
}
