/// Tokens that go through a model together.
///
/// A batch can be emptied and filled again without new memory.
public struct LlamaBatch: Sendable {
    public private(set) var tokens: [Int32] = []
    /// Each token's position in its sequences.
    public private(set) var positions: [Int32] = []
    /// Whether the distribution after each token is wanted; 0 or 1.
    private(set) var outputs: [Int8] = []
    /// The temperature that a token will be drawn at, where all may be drawn; 0 for none.
    ///
    /// The outputs are then summed together, on all threads; no result depends on it.
    private(set) var temperatures: [Double] = []
    /// The sequences of all tokens, token after token.
    private(set) var sequences: [Int32] = []
    /// Where each token's sequences begin in `sequences`.
    private(set) var sequenceStarts: [Int] = []
    public private(set) var outputCount = 0

    public var count: Int { self.tokens.count }

    public init() {}

    /// Adds a token that belongs to all of `sequences`, which must not be empty.
    public mutating func append(
        _ token: Int32, position: Int, sequences: some Collection<Int32>, wantsOutput: Bool, temperature: Double = 0
    ) {
        self.tokens.append(token)
        self.positions.append(Int32(clamping: position))
        self.outputs.append(wantsOutput ? 1 : 0)
        self.temperatures.append(temperature)
        self.sequenceStarts.append(self.sequences.count)
        self.sequences.append(contentsOf: sequences)
        if wantsOutput { self.outputCount += 1 }
    }

    /// Adds a token of one sequence.
    public mutating func append(
        _ token: Int32, position: Int, sequence: Int32, wantsOutput: Bool, temperature: Double = 0
    ) {
        self.append(
            token, position: position, sequences: CollectionOfOne(sequence), wantsOutput: wantsOutput,
            temperature: temperature)
    }

    /// Tokens that fill up blocks, and where they go.
    struct Spare {
        var sequence: Int32
        var position: Int
        var block: Int
        var step: Int
    }

    var lastSequence: Int32 { self.sequences.last ?? 0 }
    var lastPosition: Int { self.positions.last.map(Int.init) ?? -1 }

    /// The batch with further tokens, up to a whole block, and further outputs, up to whole blocks in each step that has any.
    func filled(with spare: Spare) -> LlamaBatch {
        var batch = self
        var position = spare.position
        while batch.count % spare.block != 0 {
            batch.append(self.tokens[0], position: position, sequence: spare.sequence, wantsOutput: false)
            position += 1
        }
        for start in stride(from: 0, to: batch.count, by: spare.step) {
            let step = start..<min(start + spare.step, batch.count)
            var missing = (spare.block - batch.outputs[step].count { $0 != 0 } % spare.block) % spare.block
            for index in step.reversed() where missing > 0 && batch.outputs[index] == 0 {
                batch.outputs[index] = 1
                batch.outputCount += 1
                missing -= 1
            }
        }
        return batch
    }

    public mutating func removeAll() {
        self.tokens.removeAll(keepingCapacity: true)
        self.positions.removeAll(keepingCapacity: true)
        self.outputs.removeAll(keepingCapacity: true)
        self.temperatures.removeAll(keepingCapacity: true)
        self.sequences.removeAll(keepingCapacity: true)
        self.sequenceStarts.removeAll(keepingCapacity: true)
        self.outputCount = 0
    }
}
