#include "cboostmath.h"

#include <boost/math/distributions/students_t.hpp>
#include <limits>

namespace {
// Errors are NaN: no exception may leave a function that Swift calls.
using Policy = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<false>>;
}

double cboostmath_student_quantile(double degrees, double probability) {
    if (!(degrees > 0 && probability > 0 && probability < 1)) return std::numeric_limits<double>::quiet_NaN();
    return quantile(boost::math::students_t_distribution<double, Policy>(degrees), probability);
}
