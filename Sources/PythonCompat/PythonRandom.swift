#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Python's `random.Random(seed)`: the same seed gives CPython's numbers, bit for bit.
///
/// The generator is MT19937 (Matsumoto and Nishimura 1998), seeded by its `init_by_array`.
public struct PythonRandom: Sendable {
    private static let size = 624
    private static let middle = 397

    private var state: [UInt32]
    private var position = Self.size

    public init(seed: UInt64) {
        var state = [UInt32](repeating: 0, count: Self.size)
        state[0] = 19_650_218
        for i in 1..<Self.size { state[i] = Self.mixed(state[i - 1]) &* 1_812_433_253 &+ UInt32(i) }
        // The seed's 32-bit digits, the lowest first.
        let high = UInt32(truncatingIfNeeded: seed >> 32)
        let key = [UInt32(truncatingIfNeeded: seed)] + (high == 0 ? [] : [high])
        var i = 1
        func advance(_ state: inout [UInt32]) {
            i += 1
            if i == Self.size {
                state[0] = state[Self.size - 1]
                i = 1
            }
        }
        for step in 0..<Self.size {
            let digit = step % key.count
            state[i] = (state[i] ^ (Self.mixed(state[i - 1]) &* 1_664_525)) &+ key[digit] &+ UInt32(digit)
            advance(&state)
        }
        for _ in 1..<Self.size {
            state[i] = (state[i] ^ (Self.mixed(state[i - 1]) &* 1_566_083_941)) &- UInt32(i)
            advance(&state)
        }
        state[0] = 0x8000_0000
        self.state = state
    }

    private static func mixed(_ word: UInt32) -> UInt32 { word ^ (word >> 30) }

    /// The next 32 random bits.
    public mutating func next() -> UInt32 {
        if self.position == Self.size { self.refill() }
        var word = self.state[self.position]
        self.position += 1
        word ^= word >> 11
        word ^= (word << 7) & 0x9D2C_5680
        word ^= (word << 15) & 0xEFC6_0000
        return word ^ (word >> 18)
    }

    private mutating func refill() {
        for i in 0..<Self.size {
            let word = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % Self.size] & 0x7FFF_FFFF)
            let twist: UInt32 = word & 1 == 0 ? 0 : 0x9908_B0DF
            self.state[i] = self.state[(i + Self.middle) % Self.size] ^ (word >> 1) ^ twist
        }
        self.position = 0
    }

    /// `random()`: a number of 53 bits in [0, 1).
    public mutating func unit() -> Double {
        let high = Double(self.next() >> 5)
        let low = Double(self.next() >> 6)
        return (high * 67_108_864 + low) * (1 / 9_007_199_254_740_992)
    }

    /// `_randbelow(bound)`, for bounds of up to 32 bits; 0 for a bound of 0.
    public mutating func below(_ bound: Int) -> Int {
        guard bound > 0 else { return 0 }
        let bits = Int.bitWidth - bound.leadingZeroBitCount
        while true {
            let number = Int(self.next() >> UInt32(32 - bits))
            if number < bound { return number }
        }
    }

    /// `sample(range(population), count)`; `nil` if there are fewer than `count`, or more than 31 bits number.
    public mutating func sample(_ count: Int, of population: Int) -> [Int]? {
        guard (0...population).contains(count), population <= Int(Int32.max) else { return nil }
        var limit = 21
        if count > 5 { limit += 1 << (2 * Int(ceil(log(Double(count * 3)) / log(4)))) }
        var picked: [Int] = []
        picked.reserveCapacity(count)
        if population <= limit {
            var pool = Array(0..<population)
            for taken in 0..<count {
                let index = self.below(population - taken)
                picked.append(pool[index])
                pool[index] = pool[population - taken - 1]
            }
        } else {
            var known: Set<Int> = []
            for _ in 0..<count {
                var index = self.below(population)
                while !known.insert(index).inserted { index = self.below(population) }
                picked.append(index)
            }
        }
        return picked
    }

    /// `choices(range(population), k=count)`: with replacement; empty for an empty population.
    public mutating func choices(_ count: Int, of population: Int) -> [Int] {
        guard population > 0 else { return [] }
        var chosen = [Int](repeating: 0, count: count)
        self.choose(into: &chosen, of: population)
        return chosen
    }

    /// `choices(range(rows.count), k=rows.count)`.
    public mutating func choose(into rows: inout [Int]) { self.choose(into: &rows, of: rows.count) }

    private mutating func choose(into rows: inout [Int], of population: Int) {
        for index in rows.indices { rows[index] = Int((self.unit() * Double(population)).rounded(.down)) }
    }
}

/// Python's `random.gauss(0, 1)`, which makes two numbers at once and keeps the second for the next call.
public struct PythonGauss: Sendable {
    public init() {}

    private var kept: Double?

    public mutating func next(_ random: inout PythonRandom) -> Double {
        if let kept = self.kept {
            self.kept = nil
            return kept
        }
        let angle = random.unit() * (2 * .pi)
        let radius = sqrt(-2 * log(1 - random.unit()))
        self.kept = sin(angle) * radius
        return cos(angle) * radius
    }
}
