import CLogits
import Foundation
import Testing

@testable import Llama

/// Drawing tokens, compared with the rules applied to the whole sorted vocabulary.
@Suite struct DrawingTests {
    private static func logits(_ count: Int, seed: UInt64) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Some are equally likely.
            return Float(Int(state >> 58)) * 0.3
        }
    }

    /// What may be drawn, by the definition.
    private static func allowed(_ logits: [Float], _ rule: DrawingRule) -> [(token: Int32, share: Double)] {
        let most = Double(logits.max() ?? 0)
        func weight(_ logit: Float) -> Double { exp((Double(logit) - most) / rule.temperature) }
        var left = logits.enumerated().map { (token: Int32($0.offset), weight: weight($0.element)) }
        left.sort { ($1.weight, $0.token) < ($0.weight, $1.token) }
        if let count = rule.topK { left = Array(left.prefix(count)) }
        let total = left.reduce(0) { $0 + $1.weight }
        var mass = 0.0
        var kept = 0
        while kept < left.count, kept == 0 || mass < rule.topP * total {
            mass += left[kept].weight
            kept += 1
        }
        left = left.prefix(kept).filter { $0.weight >= rule.minP * left[0].weight }
        let sum = left.reduce(0) { $0 + $1.weight }
        return left.map { ($0.token, $0.weight / sum) }
    }

    @Test(arguments: [
        DrawingRule(temperature: 1), DrawingRule(temperature: 0.3), DrawingRule(temperature: 2, topK: 1),
        DrawingRule(temperature: 1, topK: 7), DrawingRule(temperature: 1, topK: 5000),
        DrawingRule(temperature: 1, topP: 0.9),
        DrawingRule(temperature: 4, topP: 0.999), DrawingRule(temperature: 1, topP: 0.0001),
        DrawingRule(temperature: 1, minP: 0.2), DrawingRule(temperature: 1, minP: 1),
        DrawingRule(temperature: 0.7, topK: 50, topP: 0.8, minP: 0.05), DrawingRule(temperature: 100, topP: 0.5),
    ])
    func drawsFollowTheRules(rule: DrawingRule) throws {
        for (count, seed) in [(1, 1), (2, 2), (70, 3), (400, 4)] as [(Int, UInt64)] {
            let logits = Self.logits(count, seed: seed)
            let allowed = Self.allowed(logits, rule)
            try logits.withUnsafeBufferPointer { buffer in
                guard let distribution = Distribution(buffer) else { throw NoDistribution() }
                var edge = 0.0
                // Shares that rounding can swallow are left out.
                for entry in allowed where entry.share > 1e-9 {
                    // Well within the entry's part of the line.
                    #expect(distribution.draw(rule, unit: edge + entry.share / 2) == entry.token)
                    edge += entry.share
                }
                #expect(distribution.draw(rule, unit: 0) == distribution.mostLikely)
                if let last = allowed.last, last.share > 1e-9 {
                    #expect(distribution.draw(rule, unit: 1.0.nextDown) == last.token)
                }
            }
        }
    }

    /// A rough sum of all weights, from a batch, changes no draw; neither does a wrong one within its bound.
    @Test(arguments: [
        DrawingRule(temperature: 1), DrawingRule(temperature: 0.6), DrawingRule(temperature: 1.7),
        DrawingRule(temperature: 1, topP: 0.95), DrawingRule(temperature: 0.8, topP: 0.5, minP: 0.01),
    ])
    func roughSumsChangeNoDraw(rule: DrawingRule) throws {
        var generator = SeededGenerator(seed: 7)
        // As those of a language model: few likely tokens, and many unlikely ones.
        let logits = (0..<4003).map { _ in
            Float(-log(Double.random(in: 1e-9..<1, using: &generator)) - Double.random(in: 2..<4, using: &generator))
        }
        let allowed = Self.allowed(logits, rule)
        var edges: [Double] = []
        for entry in allowed { edges.append((edges.last ?? 0) + entry.share) }
        try logits.withUnsafeBufferPointer { buffer in
            let reduced = assay_reduce_logits(buffer.baseAddress, Int32(buffer.count))
            let exact = assay_sum_weights(
                buffer.baseAddress, Int32(buffer.count), reduced.maximum, rule.temperature)
            let rough = assay_add_weights(buffer.baseAddress, Int32(buffer.count), reduced.maximum, rule.temperature)
            #expect(abs(rough / exact - 1) < 2e-6)
            let definition = logits.reduce(0) { $0 + exp((Double($1) - Double(reduced.maximum)) / rule.temperature) }
            #expect(abs(exact / definition - 1) < 1e-12)
            for error in [-8e-6, 0, 8e-6] {
                let weights = (temperature: rule.temperature, sum: rough * (1 + error))
                guard let distribution = Distribution(buffer, reduced, weights: weights) else { throw NoDistribution() }
                for number in 0..<60 {
                    // Some are in the tail, where the rough sum does not tell them apart.
                    let part = Double.random(in: 0..<1, using: &generator)
                    let unit = number % 4 > 0 ? part : 1 - part * 1e-3
                    let expected = allowed[edges.firstIndex { $0 > unit } ?? allowed.count - 1].token
                    #expect(distribution.draw(rule, unit: unit) == expected)
                }
            }
        }
    }

    @Test func impossibleTokensAreNeverDrawn() throws {
        let logits: [Float] = [-.infinity, 1, -.infinity, 1]
        try logits.withUnsafeBufferPointer { buffer in
            guard let distribution = Distribution(buffer) else { throw NoDistribution() }
            let rules = [
                DrawingRule(temperature: 1), .init(temperature: 1, topK: 4), .init(temperature: 1, topP: 0.99999),
            ]
            for rule in rules {
                for unit in stride(from: 0.0, to: 1, by: 0.01) {
                    #expect([1, 3].contains(distribution.draw(rule, unit: unit)))
                }
            }
        }
    }
}

private struct NoDistribution: Error {}
