/// How tokens are drawn; without it the most likely one is taken.
public struct Sampling: Sendable, Hashable {
    /// Above 0; what log-probabilities are divided by.
    public var temperature: Double
    /// Only so many of the most likely tokens; `nil` for all.
    public var topK: Int?
    /// Only the most likely tokens that have so much probability together; 1 for all.
    public var topP: Double
    /// Only tokens with this part of the most likely one's probability; 0 for all.
    public var minP: Double
    public var seed: UInt64

    public init(temperature: Double, topK: Int? = nil, topP: Double = 1, minP: Double = 0, seed: UInt64 = 1234) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.seed = seed
    }
}

/// One text's random numbers: a function of seed, task, row, repeat and position alone, whatever is computed before or
/// beside it.
public struct RandomStream: Sendable, Hashable {
    public var seed: UInt64
    /// The first 32 bits of the SHA-256 of the task's name.
    public var task: UInt32
    public var row: UInt32
    public var `repeat`: UInt32

    public init(seed: UInt64, task: UInt32, row: Int, repeat number: Int) {
        self.seed = seed
        self.task = task
        self.row = UInt32(truncatingIfNeeded: row)
        self.repeat = UInt32(truncatingIfNeeded: number)
    }

    /// A number of 53 bits in [0, 1) for the token at `position` of the text.
    public func unit(at position: Int) -> Double {
        let words = Philox.words(
            counter: [UInt32(truncatingIfNeeded: position), self.task, self.row, self.repeat],
            key: (UInt32(truncatingIfNeeded: self.seed), UInt32(truncatingIfNeeded: self.seed >> 32)))
        return Double((UInt64(words[0]) << 32 | UInt64(words[1])) >> 11) * 0x1p-53
    }
}

/// The counter-based generator Philox4x32-10 (Salmon and others 2011).
enum Philox {
    static func words(counter: SIMD4<UInt32>, key: (UInt32, UInt32)) -> SIMD4<UInt32> {
        var counter = counter
        var key = key
        for _ in 0..<10 {
            let first = UInt64(counter[0]) * 0xD251_1F53
            let second = UInt64(counter[2]) * 0xCD9E_8D57
            counter = [
                UInt32(truncatingIfNeeded: second >> 32) ^ counter[1] ^ key.0, UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ counter[3] ^ key.1, UInt32(truncatingIfNeeded: first),
            ]
            key = (key.0 &+ 0x9E37_79B9, key.1 &+ 0xBB67_AE85)
        }
        return counter
    }
}
