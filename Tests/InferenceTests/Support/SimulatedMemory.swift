import Testing

@testable import Inference

/// What llama.cpp's shared memory would hold, so that plans can be checked without a model.
struct SimulatedMemory {
    private struct Cell {
        var token: Int32
        var position: Int
        var number: Int
        var sequences: Set<Int32>
    }

    /// A token stands behind all others, at its position modulo this.
    private let block: Int
    private var cells: [Cell] = []
    /// The cells that were needed.
    private(set) var peak = 0

    init(block: Int = 1) { self.block = block }

    mutating func truncate(_ sequence: Int32, from position: Int) {
        for index in self.cells.indices where self.cells[index].position >= position {
            self.cells[index].sequences.remove(sequence)
        }
        self.cells.removeAll { $0.sequences.isEmpty }
    }

    mutating func copyTrunk(to sequence: Int32) {
        for index in self.cells.indices where self.cells[index].sequences.contains(0) {
            self.cells[index].sequences.insert(sequence)
        }
    }

    /// Adds a batch and returns, for each of its tokens, the text that the token sees, itself included.
    mutating func decode(_ batch: BatchPlan.Batch) throws -> [[Int32]] {
        var seen: [[Int32]] = []
        for index in batch.tokens.indices {
            let sequences = Set(batch.sequences[index])
            try #require(!sequences.isEmpty)
            var number = (self.cells.map(\.number).max() ?? -1) + 1
            while number % self.block != batch.positions[index] % self.block { number += 1 }
            self.cells.append(
                Cell(
                    token: batch.tokens[index], position: batch.positions[index], number: number, sequences: sequences))
            self.peak = max(self.peak, number + 1)
            // All sequences of a token must have the same past.
            let pasts = try sequences.map { try self.text(of: $0) }
            #expect(Set(pasts).count == 1)
            seen.append(pasts[0])
        }
        return seen
    }

    private func text(of sequence: Int32) throws -> [Int32] {
        let own = self.cells.filter { $0.sequences.contains(sequence) }.sorted { $0.position < $1.position }
        try #require(own.map(\.position) == Array(0..<own.count), "positions of sequence \(sequence) have gaps")
        // As if the sequence were alone: blocks in order, each in one piece.
        for (before, cell) in zip(own, own.dropFirst()) {
            #expect(before.number < cell.number)
            let areTogether = before.position / self.block == cell.position / self.block
            #expect(!areTogether || before.number / self.block == cell.number / self.block)
        }
        return own.map(\.token)
    }
}
