/// A sum whose error does not grow with the number of terms (Neumaier's variant of Kahan's summation).
///
/// Finite terms whose sum is beyond the range of a double give an infinity or NaN.
struct CompensatedSum {
    private var sum = 0.0
    private var compensation = 0.0

    var value: Double { self.sum + self.compensation }

    mutating func add(_ term: Double) {
        let next = self.sum + term
        if self.sum.magnitude >= term.magnitude {
            self.compensation += (self.sum - next) + term
        } else {
            self.compensation += (term - next) + self.sum
        }
        self.sum = next
    }

    static func of(_ terms: some Sequence<Double>) -> Double {
        var sum = CompensatedSum()
        for term in terms { sum.add(term) }
        return sum.value
    }
}
