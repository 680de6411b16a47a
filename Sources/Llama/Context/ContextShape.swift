/// The sizes of a context, fixed when it is made.
public struct ContextShape: Sendable, Hashable {
    /// How sequences share the memory for keys and values.
    public enum Layout: Sendable, Hashable {
        /// One pool of cells: a token may belong to several sequences, and attention runs over all cells used.
        case shared
        /// Every sequence has `cells` of its own: attention runs over these, and copying a sequence copies its data.
        case separate
    }

    public var layout: Layout
    /// Tokens that fit: in all for `shared`, per sequence for `separate`.
    ///
    /// Rounded up to a multiple of 256.
    public var cells: Int
    /// The number of sequences, 1...256; ids are 0..<sequences.
    public var sequences: Int
    /// The most tokens of a batch.
    public var batchTokens: Int
    /// The most tokens that are computed in one step; a larger batch is cut.
    public var stepTokens: Int
    /// The most outputs of a batch.
    public var outputs: Int
    /// Threads on the CPU.
    public var threads: Int
    /// Where it is more than 1, the outputs of a sequence do not depend on what else is computed, if sequences share tokens in
    /// whole blocks of so many only.
    ///
    /// Sums round by how many rows a step has and where keys and values stand. So each step gets a multiple of `block` tokens
    /// and outputs, and a token stands at its position modulo `block`. In the `separate` layout a batch has either one token for
    /// every sequence or many for one, and the number of sequences is a multiple of `block`.
    public var block: Int

    public init(
        layout: Layout, cells: Int, sequences: Int, batchTokens: Int, stepTokens: Int = 512, outputs: Int,
        threads: Int, block: Int = 1
    ) {
        self.layout = layout
        self.block = block
        self.cells = (cells + 255) / 256 * 256
        self.sequences = sequences
        self.batchTokens = batchTokens
        self.stepTokens = min(stepTokens, batchTokens)
        self.outputs = outputs
        self.threads = threads
    }

    /// Cells that a context can have in all.
    public static let mostCells = 1 << 30

    /// All cells of the context.
    public var totalCells: Int {
        switch self.layout {
        case .shared: self.cells
        case .separate: self.cells * self.sequences
        }
    }

    /// Sequences that llama.cpp keeps: one more for the tokens that fill up blocks.
    var allSequences: Int { self.sequences + (self.block > 1 && self.layout == .shared ? 1 : 0) }

    /// Tokens of a batch when its last block is full.
    var fullBatch: Int { (self.batchTokens + self.block - 1) / self.block * self.block }

    /// Rows that llama.cpp keeps for outputs: at least one for each sequence, wanted or not, and what fills up blocks.
    var outputRows: Int {
        let steps = (self.fullBatch + self.stepTokens - 1) / self.stepTokens
        return max(min(self.outputs + steps * (self.block - 1), self.fullBatch), self.allSequences)
    }

    func check() throws(LlamaError) {
        let numbers: [(name: String, value: Int, range: ClosedRange<Int>)] = [
            ("cells", self.cells, 256...1 << 24), ("sequences", self.sequences, 1...LlamaBackend.maxSequences),
            ("batch tokens", self.batchTokens, 1...1 << 20),
            ("step tokens", self.stepTokens, 1...max(1, self.batchTokens)),
            ("outputs", self.outputs, 1...max(1, self.batchTokens)), ("threads", self.threads, 1...512),
            ("cells in all", self.totalCells, 256...Self.mostCells), ("tokens in a block", self.block, 1...256),
            ("sequences, the spare one included,", self.allSequences, 1...LlamaBackend.maxSequences),
            ("step tokens beyond a block", self.stepTokens % self.block, 0...0),
        ]
        for (name, value, range) in numbers where !range.contains(value) {
            throw LlamaError(
                .limitExceeded,
                "a context can't have \(value) \(name); \(range.lowerBound)...\(range.upperBound) are accepted")
        }
    }
}
