#pragma once

// Distributions of Boost.Math.

#ifdef __cplusplus
extern "C" {
#endif

// The quantile of Student's t distribution; NaN unless degrees > 0 and 0 < probability < 1.
double cboostmath_student_quantile(double degrees, double probability);

// The probability that a beta variable with the shapes a and b is at most x, and at least x; NaN unless a > 0, b > 0 and
// 0 <= x <= 1. Of n trials with probability x at least k succeed with beta_lower(k, n - k + 1, x).
double cboostmath_beta_lower(double a, double b, double x);
double cboostmath_beta_upper(double a, double b, double x);

// The quantile of the beta distribution; NaN unless a > 0, b > 0 and 0 <= probability <= 1.
double cboostmath_beta_quantile(double a, double b, double probability);

#ifdef __cplusplus
}
#endif
