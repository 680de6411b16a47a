#if canImport(FoundationEssentials)
public import struct FoundationEssentials.UUID
#else
public import struct Foundation.UUID
#endif

/// The claim that a shard's file belongs to, as its place and name in the store say.
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
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, let shard = Int(parts[0].dropFirst("shard-".count)), shard >= 0,
            let epoch = Int(parts[1].dropFirst()), epoch > 0, let incarnation = UUID(uuidString: String(parts[2]))
        else { return nil }
        self.init(run: run, job: job, shard: shard, epoch: epoch, incarnation: incarnation)
        guard self.name == name else { return nil }
    }

    /// The file's own name.
    var name: String {
        "shard-\(self.shard).e\(self.epoch).\(self.incarnation.uuidString.lowercased()).h5"
    }
}
