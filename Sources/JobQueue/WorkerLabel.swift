/// Labels that mean something to Assay itself.
public enum WorkerLabel {
    /// The worker runs programs that models write, in a sandbox.
    public static let runsCode = "run_code"
    /// The worker reads templates, data and tokens by the rules of this release.
    ///
    /// Jobs ask for it, so that a worker of another release never computes them by its own rules. It gets another number
    /// whenever a rule changes by which prompts, tokens or scores become others.
    public static let rules = "assay:rules-2"
    /// Begins labels that nobody can give.
    public static let reservedPrefix = "assay:"

    /// Those that say something to people: without the rules of this release.
    public static func shown(_ labels: [String]) -> [String] { labels.filter { $0 != Self.rules } }
}
