import Foundation

/// The fixture reference.json; make_reference.py beside it made it with SciPy.
struct Reference: Decodable {
    struct Result: Decodable {
        var value: Double
        var standard_error: Double
        var lower: Double
        var upper: Double
    }

    struct Mean: Decodable {
        var name: String
        var values: [Double]
        var mean: Double
        var standard_error: Double
        var lower: Double
        var upper: Double
    }

    struct Bounded: Decodable {
        var name: String
        var values: [Double]
        var scale: Double
        var lower: Double
        var upper: Double
    }

    struct Degrees: Decodable {
        var sizes: [Double]
        var correlation: Double
        var degrees: Double
        var bias: Double
    }

    struct Proportion: Decodable {
        var successes: Int
        var count: Int
        var lower: Double
        var upper: Double
    }

    struct Perplexity: Decodable {
        var values: [Double]
        var value: Double
        var standard_error: Double
        var lower: Double
        var upper: Double
        var bootstrap_standard_error: Double
    }

    struct Ratio: Decodable {
        var values: [Double]
        var weights: [Double]
        var perplexity: Result
        var bits: Result
        var bootstrap_bits_standard_error: Double
    }

    struct Clusters: Decodable {
        var values: [Double]
        var clusters: [Int]
        var standard_error: Double
    }

    var means: [Mean]
    var bounded: [Bounded]
    var degrees: [Degrees]
    var proportions: [Proportion]
    var perplexities: [Perplexity]
    var ratios: [Ratio]
    var clusters: [Clusters]

    static func load() throws -> Reference {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/reference.json")
        return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: file))
    }
}

/// Whether `value` is `expected` up to a relative error.
func isClose(_ value: Double?, _ expected: Double, tolerance: Double = 1e-12) -> Bool {
    guard let value else { return false }
    return abs(value - expected) <= tolerance * max(abs(expected), 1e-300) || value == expected
}
