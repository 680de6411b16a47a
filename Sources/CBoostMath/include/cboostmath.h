#pragma once

// Distributions of Boost.Math.

#ifdef __cplusplus
extern "C" {
#endif

// The quantile of Student's t distribution; NaN unless degrees > 0 and 0 < probability < 1.
double cboostmath_student_quantile(double degrees, double probability);

#ifdef __cplusplus
}
#endif
