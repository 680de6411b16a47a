import Crypto
import Evaluation
import Foundation
import Testing

@testable import Inference

@Suite struct BatchPlanTests {
    /// Runs a plan on simulated memory: every scored token is predicted once, by a token that sees exactly its context.
    private func check(_ plan: BatchPlan, _ requests: [ScoringRequest], _ limits: BatchLimits) throws {
        var memory = SimulatedMemory(block: limits.block)
        var trunk = 0
        var scored: Set<[Int]> = []
        for step in plan.steps {
            var branches = 0
            switch step {
            case .trimTrunk(let length):
                memory.truncate(0, from: length)
                trunk = length
            case .extendTrunk(let batch):
                #expect(batch.sequences.allSatisfy { $0 == 0..<1 })
                trunk += batch.tokens.count
            case .pack(_, let sequenceCount):
                branches = sequenceCount
                #expect(sequenceCount < limits.sequences)
                for branch in 1...Int32(sequenceCount) { memory.copyTrunk(to: branch) }
            }
            guard let batch = step.batch else { continue }
            #expect((1...limits.tokens).contains(batch.tokens.count))
            #expect(batch.outputCount <= limits.outputs)
            let seen = try memory.decode(batch)
            for target in batch.targets {
                let request = requests[target.request]
                let index = request.scoredFrom + target.position
                #expect(batch.wantsOutput[target.index])
                #expect(seen[target.index] == Array(request.tokens[..<index]))
                #expect(target.token == request.tokens[index])
                #expect(scored.insert([target.request, target.position]).inserted)
            }
            #expect(Set(batch.targets.map(\.index)).count == batch.outputCount)
            #expect(batch.targets.map(\.index) == batch.targets.map(\.index).sorted())
            if branches > 0 { for branch in 1...Int32(branches) { memory.truncate(branch, from: 0) } }
        }
        #expect(scored.count == requests.reduce(0) { $0 + $1.tokens.count - $1.scoredFrom })
        let longest = requests.map { $0.tokens.count - 1 }.max() ?? 0
        let gaps = limits.block > 1 ? limits.sequences * limits.block : 0
        #expect(memory.peak <= longest + limits.tokens + gaps)
        #expect(trunk == 0)
    }

    @Test(arguments: 0..<40)
    func everyScoredTokenSeesExactlyItsContext(_ seed: Int) throws {
        let requests = randomRequests(seed: UInt64(seed), vocabulary: 6, longest: 60)
        for limits in [
            BatchLimits(tokens: 32, sequences: 4, outputs: 8, shortestTrunk: 8),
            BatchLimits(tokens: 64, sequences: 16, outputs: 64, shortestTrunk: 16),
            BatchLimits(tokens: 1024, sequences: 128, outputs: 1024),
            BatchLimits(tokens: 5, sequences: 2, outputs: 1, shortestTrunk: 1),
            BatchLimits(tokens: 32, sequences: 4, outputs: 16, shortestTrunk: 8, block: 16),
            BatchLimits(tokens: 64, sequences: 16, outputs: 32, shortestTrunk: 16, block: 4),
            BatchLimits(tokens: 1024, sequences: 128, outputs: 1024, block: 16),
        ] {
            let plan = BatchPlan(requests, limits: limits)
            try self.check(plan, requests, limits)
            #expect(plan.usefulTokens == requests.reduce(0) { $0 + $1.tokens.count - 1 })
            #expect(plan == BatchPlan(requests, limits: limits))
        }
    }

    private func multipleChoice(samples: Int, shots: Int, context: Int, choice: Int) -> [ScoringRequest] {
        let prefix = (0..<shots).map { Int32($0 % 7) }
        return (0..<samples).flatMap { sample in
            (0..<4).map { number in
                let question = (0..<context).map { Int32(10 + (sample + $0) % 50) } + [Int32(1000 + sample)]
                let answer = (0..<choice).map { Int32(100 + number + $0) }
                return ScoringRequest(tokens: prefix + question + answer, scoredFrom: prefix.count + question.count)
            }
        }
    }

    /// Where this fails, requests become other batches than before: raise `ResolvedSettings.planVersion`, which results and
    /// digests name, and put the new hash here.
    @Test func plansAreThoseOfThePlanVersion() {
        var text = "version \(ResolvedSettings.planVersion)"
        for (seed, limits) in [
            (1, BatchLimits(tokens: 32, sequences: 4, outputs: 16)), (2, .init(tokens: 96, sequences: 16, outputs: 40)),
            (3, .init(tokens: 512, sequences: 128, outputs: 512)),
        ] {
            for vocabulary in [3, 50] as [Int32] {
                let requests = randomRequests(seed: UInt64(seed), vocabulary: vocabulary, longest: 90)
                for step in BatchPlan(requests, limits: limits).steps {
                    guard let batch = step.batch else { continue }
                    text += "\n\(batch.tokens) \(batch.positions) \(batch.sequences) \(batch.wantsOutput)"
                }
            }
        }
        #expect(
            SHA256.hash(data: Data(text.utf8)).map { String($0, radix: 16) }.joined()
                == "4a7bc58fa52ad5c9483418076cca23b36d5931c67bb52a5d6bd515e3cbd8c12")
    }

    @Test func contextsAndFewShotExamplesAreComputedOnce() throws {
        let limits = BatchLimits(tokens: 256, sequences: 64, outputs: 256)
        let requests = self.multipleChoice(samples: 12, shots: 300, context: 40, choice: 6)
        let plan = BatchPlan(requests, limits: limits)
        try self.check(plan, requests, limits)
        // The examples once, each context once, five tokens per choice.
        #expect(plan.computedTokens == 300 + 12 * 41 + 48 * 5)
        #expect(plan.usefulTokens == 48 * (300 + 41 + 5))
        // Two batches of trunk, packs of four samples, and one step to forget the trunk.
        #expect(plan.steps.count == 2 + 3 + 1)
    }

    @Test func equalRequestsAreComputedOnce() throws {
        let limits = BatchLimits(tokens: 64, sequences: 8, outputs: 64)
        let request = ScoringRequest(tokens: [1, 2, 3, 4, 5], scoredFrom: 3)
        let plan = BatchPlan(Array(repeating: request, count: 20), limits: limits)
        try self.check(plan, Array(repeating: request, count: 20), limits)
        #expect(plan.computedTokens == 4)
        #expect(plan.steps.count == 1)
    }

    @Test func choicesOfOneTokenNeedNoSequenceOfTheirOwn() throws {
        let limits = BatchLimits(tokens: 64, sequences: 2, outputs: 64)
        let requests = (0..<10).map { ScoringRequest(tokens: [1, 2, 3, Int32(10 + $0)], scoredFrom: 3) }
        let plan = BatchPlan(requests, limits: limits)
        try self.check(plan, requests, limits)
        #expect(plan.computedTokens == 3)
        #expect(plan.steps.first?.batch?.targets.count == 10)
        #expect(plan.steps.first?.batch?.outputCount == 1)
    }

    @Test func aShortCommonPrefixIsNoTrunk() throws {
        let limits = BatchLimits(tokens: 128, sequences: 64, outputs: 128)
        let requests = (0..<40).map { number in
            ScoringRequest(tokens: [0] + (0..<20).map { Int32(number * 20 + $0 + 1) }, scoredFrom: 10)
        }
        let plan = BatchPlan(requests, limits: limits)
        try self.check(plan, requests, limits)
        #expect(
            plan.steps.allSatisfy { step in
                if case .pack = step { true } else { false }
            })
        // The first token again in each batch of six requests.
        #expect(plan.steps.count == 7)
        #expect(plan.computedTokens == 40 * 19 + 7)
    }

    @Test func longRequestsAreCut() throws {
        let limits = BatchLimits(tokens: 100, sequences: 8, outputs: 30)
        let requests = [ScoringRequest(tokens: (0..<1001).map { Int32($0) }, scoredFrom: 900)]
        let plan = BatchPlan(requests, limits: limits)
        try self.check(plan, requests, limits)
        #expect(plan.computedTokens == 1000)
    }

    @Test func nothingToDoIsNoPlan() {
        #expect(BatchPlan([], limits: BatchLimits(tokens: 8, sequences: 2, outputs: 8)).steps.isEmpty)
    }
}
