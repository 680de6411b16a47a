import CLogits
import Foundation
import Testing

@testable import Llama

@Suite struct DistributionTests {
    private func check(_ logits: [Float]) -> (mostLikely: Int32, logProbs: [Float])? {
        logits.withUnsafeBufferPointer { buffer in
            guard let distribution = Distribution(buffer) else { return nil }
            return (distribution.mostLikely, logits.indices.map { distribution.logProb(of: Int32($0)) })
        }
    }

    @Test(arguments: [1, 15, 16, 17, 1024, 1025, 49_152])
    func agreesWithDoublePrecision(_ count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let logits = (0..<count).map { _ in Float.random(in: -40...40, using: &generator) }
        let maximum = Double(try #require(logits.max()))
        let normalizer = maximum + log(logits.reduce(0) { $0 + exp(Double($1) - maximum) })
        let result = try #require(self.check(logits))
        #expect(result.mostLikely == Int32(try #require(logits.firstIndex(of: Float(maximum)))))
        for (logit, logProb) in zip(logits, result.logProbs) {
            #expect(abs(Double(logProb) - (Double(logit) - normalizer)) < 1e-5)
        }
    }

    /// As many rows as one thread, some threads and all threads get something to do.
    @Test(arguments: [0, 1, 3, 40, 150])
    func theNumberOfThreadsChangesNothing(_ count: Int) {
        let width = 49_152
        var generator = SeededGenerator(seed: UInt64(count))
        let logits = (0..<count * width).map { _ in Float.random(in: -40...40, using: &generator) }
        logits.withUnsafeBufferPointer { buffer in
            let rows = (0..<count).map { buffer.baseAddress?.advanced(by: $0 * width) }
            let alone = rows.map { assay_reduce_logits($0, Int32(width)) }
            for threads in [1, 2, 7, 64, 1000] as [Int32] {
                var together = Array(repeating: assay_distribution(), count: count)
                var copy = rows
                assay_reduce_rows(&copy, &together, nil, nil, Int32(count), Int32(width), threads)
                for (one, other) in zip(alone, together) {
                    #expect(one.sum == other.sum && one.maximum == other.maximum && one.argmax == other.argmax)
                }
            }
        }
    }

    /// Whatever vectors the processor has.
    @Test(arguments: [1, 8, 17, 1031, 49_152])
    func instructionsChangeNoBit(_ count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let logits = (0..<count).map { _ in Float.random(in: -90...40, using: &generator) }
        defer { assay_use_instructions(assay_best_instructions()) }
        var known: [[UInt64]] = []
        for instructions in [ASSAY_INSTRUCTIONS_BASE, ASSAY_INSTRUCTIONS_AVX2, ASSAY_INSTRUCTIONS_AVX512] {
            assay_use_instructions(instructions)
            let reduced = assay_reduce_logits(logits, Int32(count))
            var found = [Int32](repeating: -1, count: count)
            let hits = assay_find_logits(logits, Int32(count), -3, 20, &found, Int32(count))
            #expect(found.prefix(Int(hits)).map(Int.init) == logits.indices.filter { (-3..<20).contains(logits[$0]) })
            var weights = [Double](repeating: 0, count: Int(hits))
            assay_weigh_logits(logits, found, hits, reduced.maximum, 0.7, &weights)
            for (token, weight) in zip(found, weights) {
                let exact = exp((Double(logits[Int(token)]) - Double(reduced.maximum)) / 0.7)
                #expect(abs(weight - exact) <= 1e-15 * exact)
            }
            known.append(weights.map(\.bitPattern))
            known.append([
                reduced.sum.bitPattern, UInt64(reduced.maximum.bitPattern), UInt64(bitPattern: Int64(reduced.argmax)),
                assay_add_weights(logits, Int32(count), reduced.maximum, 0.7).bitPattern,
                assay_sum_weights(logits, Int32(count), reduced.maximum, 0.7).bitPattern, UInt64(hits),
            ])
        }
        // The weights, and all else.
        #expect(Set(known).count == 2)
    }

    @Test func tiesGoToTheSmallerToken() throws {
        var logits = [Float](repeating: 0, count: 100)
        for index in [99, 63, 40] { logits[index] = 5 }
        #expect(self.check(logits)?.mostLikely == 40)
        #expect(self.check([Float](repeating: 1, count: 37))?.mostLikely == 0)
        #expect(self.check([Float](repeating: -3, count: 16) + [7, 7])?.mostLikely == 16)
    }

    @Test func extremeLogitsAreFine() throws {
        let result = try #require(self.check([-1e30, 1e30, -.infinity]))
        #expect(result.mostLikely == 1)
        #expect(result.logProbs[1] == 0)
        #expect(result.logProbs[2] == -.infinity)
    }

    @Test(arguments: [Float.nan, .infinity])
    func brokenLogitsAreNoticed(_ broken: Float) {
        for position in [0, 16, 33, 39] {
            var logits = [Float](repeating: 1, count: 40)
            logits[position] = broken
            #expect(self.check(logits) == nil)
        }
        #expect(self.check([Float](repeating: broken, count: 40)) == nil)
        #expect(self.check([Float](repeating: -.infinity, count: 40)) == nil)
    }
}
