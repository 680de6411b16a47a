internal import CBoostMath

/// Student's t distribution.
enum StudentT {
    /// The quantile at `probability`, above 0 and below 1; from Boost.Math.
    static func quantile(_ probability: Double, degreesOfFreedom: Int) -> Double {
        cboostmath_student_quantile(Double(degreesOfFreedom), probability)
    }
}
