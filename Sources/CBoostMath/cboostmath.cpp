#include "cboostmath.h"

#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <limits>

namespace {
// Errors are NaN: no exception may leave a function that Swift calls.
using Policy = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<false>>;

constexpr double none = std::numeric_limits<double>::quiet_NaN();

bool is_beta(double a, double b, double unit) { return a > 0 && b > 0 && unit >= 0 && unit <= 1; }
}

double cboostmath_student_quantile(double degrees, double probability) {
    if (!(degrees > 0 && probability > 0 && probability < 1)) return none;
    return quantile(boost::math::students_t_distribution<double, Policy>(degrees), probability);
}

double cboostmath_beta_lower(double a, double b, double x) {
    return is_beta(a, b, x) ? boost::math::ibeta(a, b, x, Policy()) : none;
}

double cboostmath_beta_upper(double a, double b, double x) {
    return is_beta(a, b, x) ? boost::math::ibetac(a, b, x, Policy()) : none;
}

double cboostmath_beta_quantile(double a, double b, double probability) {
    return is_beta(a, b, probability) ? boost::math::ibeta_inv(a, b, probability, Policy()) : none;
}
