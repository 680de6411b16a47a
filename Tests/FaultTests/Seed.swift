import FaultTesting
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
