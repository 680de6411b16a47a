/// What a batch may hold; fixed by settings, never by what happens at run time.
struct BatchLimits: Sendable, Hashable {
    /// Tokens per batch.
    var tokens: Int
    /// Sequences of a context, the trunk included; at least 2.
    var sequences: Int
    /// Outputs per batch; at least 1.
    var outputs: Int
    /// A shared prefix of fewer tokens is computed again in every batch rather than kept: a batch costs more than it.
    var shortestTrunk = 64
    /// Prefixes are shared in whole blocks of so many tokens.
    var block = 1
}
