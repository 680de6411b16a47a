/// What a job's engine settings are when nobody sets them.
///
/// They are written into every job, since they decide how sums round; changing one here changes no job submitted before.
public enum EngineDefaults {
    public static let batchTokens = 512
    public static let maxSequences = 128
    public static let generationSlots = 16
}
