/// What a job's engine settings are when nobody sets them.
///
/// They are written into every job, since they decide how sums round; changing one here changes no job submitted before.
public enum EngineDefaults {
    public static let batchTokens = 512
    public static let maxSequences = 128
    public static let generationSlots = 16
    /// How many tokens stand together in strict results, which take models' lengths in whole blocks of these.
    ///
    /// The widest sums that ggml's kernels for CPUs make over keys and values have 16 parts, and those for weights take up to
    /// 16 rows at a time; `assay doctor --engine` checks that it is so on a machine.
    public static let strictBlock = 16
}

/// What an engine's numbers depend on besides the model, the requests and the engine itself.
public enum Invariance: String, Sendable, Hashable, CaseIterable, Codable {
    /// Which requests are computed together, as the settings and the shard decide it.
    case plan
    /// Nothing else: neither sizes of shards and batches, nor order, threads, or what is computed besides.
    case strict
}
