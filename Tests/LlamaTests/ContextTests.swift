import Testing

@testable import Llama

@Suite struct ContextTests {
    private let model: LlamaModel

    init() throws {
        self.model = try LlamaModel(path: tinyModelPath, device: .cpu)
    }

    private func context(_ layout: ContextShape.Layout = .shared, sequences: Int = 4) throws -> LlamaContext {
        try LlamaContext(
            self.model,
            shape: ContextShape(
                layout: layout, cells: 256, sequences: sequences, batchTokens: 32, outputs: 8, threads: 1))
    }

    private func batch(_ tokens: [Int32], from position: Int = 0, sequence: Int32 = 0) -> LlamaBatch {
        var batch = LlamaBatch()
        for (index, token) in tokens.enumerated() {
            batch.append(
                token, position: position + index, sequence: sequence, wantsOutput: index == tokens.count - 1)
        }
        return batch
    }

    @Test func distributionsSumToOne() throws {
        let context = try self.context()
        try context.decode(self.batch([0, 5, 9, 77]))
        let sum = try context.withDistribution(after: 3) { distribution in
            (0..<Int32(distribution.count)).reduce(0.0) { sum, token in
                var exponential = 1.0
                // exp(x) as exp(x / 1024) to the power of 1024, good to ten digits here.
                let small = Double(distribution.logProb(of: token)) / 1024
                let factor = 1 + small * (1 + small / 2 * (1 + small / 3 * (1 + small / 4 * (1 + small / 5))))
                for _ in 0..<1024 { exponential *= factor }
                return sum + exponential
            }
        }
        #expect(abs(try #require(sum) - 1) < 1e-5)
    }

    @Test func wrongBatchesAreErrorsNotAborts() throws {
        let context = try self.context()
        var manyOutputs = LlamaBatch()
        for index in 0..<9 { manyOutputs.append(3, position: index, sequence: 0, wantsOutput: true) }
        let wrong = [
            LlamaBatch(), self.batch(Array(repeating: 3, count: 33)), manyOutputs, self.batch([318]), self.batch([-1]),
            self.batch([3], sequence: 4), self.batch([3], sequence: -1), self.batch([3], from: -1),
            self.batch([3], from: 256),
        ]
        for batch in wrong { #expect(try llamaError { try context.decode(batch) }?.code == .limitExceeded) }
        #expect(try llamaError { try context.decode(self.batch([3], from: 5)) } == nil)
        // Positions must go on from there: llama.cpp's own check.
        #expect(try llamaError { try context.decode(self.batch([3], from: 9)) }?.code == .decodeFailed)
        #expect(try llamaError { try context.copy(sequence: 0, to: 4) }?.code == .limitExceeded)
        #expect(try llamaError { try context.truncate(sequence: -1) }?.code == .limitExceeded)
    }

    @Test func aFullContextIsAnError() throws {
        let context = try self.context()
        for start in stride(from: 0, to: 256, by: 32) {
            try context.decode(self.batch(Array(repeating: 3, count: 32), from: start))
        }
        let error = try llamaError { try context.decode(self.batch([3], sequence: 1)) }
        #expect(error?.code == .decodeFailed)
        #expect(error?.message.contains("no room") == true)
    }

    @Test func onlyWantedOutputsCanBeRead() throws {
        let context = try self.context()
        #expect(try llamaError { try context.withDistribution(after: 0) { _ in } }?.code == .limitExceeded)
        try context.decode(self.batch([0, 5, 9]))
        #expect(try llamaError { try context.withDistribution(after: 0) { _ in } }?.code == .limitExceeded)
        #expect(try llamaError { try context.withDistribution(after: 3) { _ in } }?.code == .limitExceeded)
        #expect(try context.withDistribution(after: 2) { $0.count } == 318)
    }

    @Test(arguments: [ContextShape.Layout.shared, .separate])
    func aCopiedSequenceGoesOnLikeTheOriginal(_ layout: ContextShape.Layout) throws {
        let context = try self.context(layout)
        try context.decode(self.batch([0, 5, 9, 77, 12]))
        try context.copy(sequence: 0, to: 2)
        try context.decode(self.batch([8, 4], from: 5))
        let original = try context.withDistribution(after: 1) { $0.logProb(of: 44) }
        try context.decode(self.batch([8, 4], from: 5, sequence: 2))
        let copy = try context.withDistribution(after: 1) { $0.logProb(of: 44) }
        #expect(abs(try #require(original) - (try #require(copy))) < 1e-4)
    }

    @Test func aTokenOfSeveralSequencesIsSeenByAll() throws {
        let context = try self.context()
        var shared = LlamaBatch()
        for (index, token) in [Int32(0), 5, 9].enumerated() {
            shared.append(token, position: index, sequences: [0, 1], wantsOutput: false)
        }
        shared.append(7, position: 3, sequence: 0, wantsOutput: true)
        shared.append(8, position: 3, sequence: 1, wantsOutput: true)
        try context.decode(shared)
        let together = try [3, 4].map { try context.withDistribution(after: $0) { $0.logProb(of: 30) } }
        for (index, token) in [Int32(7), 8].enumerated() {
            context.clear()
            try context.decode(self.batch([0, 5, 9, token]))
            let alone = try context.withDistribution(after: 3) { $0.logProb(of: 30) }
            #expect(abs(try #require(alone) - (try #require(together[index]))) < 1e-4)
        }
    }

    @Test func impossibleShapesAreRefused() throws {
        for shape in [
            ContextShape(layout: .shared, cells: 256, sequences: 257, batchTokens: 32, outputs: 8, threads: 1),
            ContextShape(layout: .shared, cells: 256, sequences: 0, batchTokens: 32, outputs: 8, threads: 1),
            ContextShape(layout: .shared, cells: 256, sequences: 1, batchTokens: 0, outputs: 8, threads: 1),
            ContextShape(layout: .shared, cells: 256, sequences: 1, batchTokens: 8, outputs: 9, threads: 1),
            ContextShape(layout: .shared, cells: 256, sequences: 1, batchTokens: 8, outputs: 8, threads: 0),
            ContextShape(layout: .separate, cells: 1 << 24, sequences: 256, batchTokens: 8, outputs: 8, threads: 1),
        ] {
            #expect(try llamaError { try LlamaContext(self.model, shape: shape) }?.code == .limitExceeded)
        }
        let vocabularyOnly = try LlamaModel(path: tinyModelPath, vocabularyOnly: true)
        let shape = ContextShape(layout: .shared, cells: 256, sequences: 1, batchTokens: 8, outputs: 8, threads: 1)
        #expect(try llamaError { try LlamaContext(vocabularyOnly, shape: shape) }?.code == .limitExceeded)
    }
}
