#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Python's `random.gauss(0, 1)`, which makes two numbers at once and keeps the second for the next call.
struct PythonGauss: Sendable {
    private var kept: Double?

    mutating func next(_ random: inout PythonRandom) -> Double {
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
