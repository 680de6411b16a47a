#if canImport(FoundationEssentials)
public import struct FoundationEssentials.UUID
#else
public import struct Foundation.UUID
#endif

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
