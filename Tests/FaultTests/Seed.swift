import Foundation

/// Where every random choice of the suite comes from: ASSAY_FAULT_SEED, or a seed of its own that is printed.
enum Seed {
    static let value: UInt64 = {
        let given = ProcessInfo.processInfo.environment["ASSAY_FAULT_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0...0xffff_ffff)
        print("fault tests: ASSAY_FAULT_SEED=\(seed)")
        return seed
    }()

    /// A generator for one purpose, independent of the others.
    static func generator(_ purpose: String) -> SplitMix {
        SplitMix(seed: purpose.utf8.reduce(self.value) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
    }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
