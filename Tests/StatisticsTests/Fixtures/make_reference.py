"""Writes reference.json: standard errors and intervals as SciPy and NumPy compute them, from definitions and not from formulas.

    python3 make_reference.py > reference.json
"""

import json
import math
import random

import numpy
import scipy
from scipy import optimize, stats

LEVEL = 0.95


def t(degrees):
    return float(stats.t.ppf((1 + LEVEL) / 2, degrees))


# Of means of this many squared normal numbers, so many standard errors hold in 93.8 %.
REACH = {2: 48.6, 3: 14.3, 4: 8.25, 5: 5.4, 6: 4.0, 7: 3.27, 8: 2.8}


def reach(degrees):
    return float(numpy.interp(degrees, [*(n - 1 for n in REACH), 8, 8.001], [*REACH.values(), 0, 0]))


def hall(terms, mean, error, degrees, units, below=True, above=True):
    """All means whose statistic, transformed by Hall's cubic, is within t (1992, equation 3), or within reach on a side."""
    terms = numpy.asarray(terms) - numpy.mean(terms)
    skewness = float(stats.skew(terms, bias=False)) if units > 2 and numpy.any(terms) else 0.0
    scale = math.sqrt(units)

    def transformed(true):
        s = (mean - true) / (error * scale)
        return scale * (s + skewness * s**2 / 3 + skewness**2 * s**3 / 27 + skewness / (6 * units))

    far = 1e4 * error * scale
    ends = [
        optimize.brentq(lambda true: transformed(true) - quantile, mean - far, mean + far, xtol=1e-14, rtol=1e-14)
        for quantile in (t(degrees), -t(degrees))
    ]
    near = reach(degrees) * error
    return [
        min(float(ends[0]), mean - near) if below else float(ends[0]),
        max(float(ends[1]), mean + near) if above else float(ends[1]),
    ]


def score(mean, error, degrees):
    """All p with |mean - p| <= t SE sqrt(p (1 - p) / (mean (1 - mean)))."""
    def gap(p):
        return (mean - p) ** 2 - (t(degrees) * error) ** 2 * p * (1 - p) / (mean * (1 - mean))

    return [
        float(optimize.brentq(gap, 0, mean, xtol=1e-15, rtol=1e-14)),
        float(optimize.brentq(gap, mean, 1, xtol=1e-15, rtol=1e-14)),
    ]


def means():
    generator = random.Random(1)
    cases = {
        "two": [0.25, 0.75],
        "normal": [generator.gauss(0.4, 0.3) for _ in range(200)],
        "scores": [generator.choice([0.0, 0.25, 0.5, 1.0]) for _ in range(57)],
        "far from zero": [1e9 + generator.random() for _ in range(100)],
        "skewed": [generator.expovariate(1) for _ in range(40)],
    }
    for name, values in cases.items():
        mean, error = float(numpy.mean(values)), float(stats.sem(values))
        # NumPy's variance loses digits far from zero.
        centered = [value - 1e9 for value in values] if name == "far from zero" else values
        error = float(stats.sem(centered))
        lower, upper = hall(centered, mean, error, len(values) - 1, len(values))
        yield {
            "name": name, "values": values, "mean": mean, "standard_error": error,
            "lower": lower, "upper": upper,
        }


def bounded():
    generator = random.Random(6)
    for name, values in {
        "fractions": [generator.choice([0, 0.125, 0.5, 1.0]) for _ in range(60)],
        "few differ": [1.0] * 18 + [0.5, 0.25],
        "in per cent": [100 * generator.betavariate(2, 1) for _ in range(25)],
    }.items():
        unit = numpy.array(values) / (100 if name == "in per cent" else 1)
        count, mean = len(unit), float(numpy.mean(unit))
        residuals = unit - mean
        doubt = 2 ** -float(numpy.sum(residuals**2) ** 2 / numpy.sum(residuals**4))
        variance = float(numpy.var(unit, ddof=1))
        variance += doubt * max(0, mean * (1 - mean) - variance)
        lower, upper = score(mean, math.sqrt(variance / count), count - 1)
        scale = 100 if name == "in per cent" else 1
        yield {"name": name, "values": values, "scale": scale, "lower": scale * lower, "upper": scale * upper}


def acceptability(p, successes, count):
    """Blaker (2000): the smaller tail at the observation and as much of the other tail as is not larger."""
    counts = numpy.arange(count + 1)
    up, down = stats.binom.sf(counts - 1, count, p), stats.binom.cdf(counts, count, p)
    smaller = numpy.minimum(up, down)
    slack = 1 + 1e-12
    return float(numpy.sum(stats.binom.pmf(counts[smaller <= smaller[successes] * slack], count, p)))


def proportions():
    cases = [(0, 1), (1, 1), (0, 10), (1, 10), (5, 10), (9, 19), (3, 100), (100, 100), (7, 250), (991, 1000)]
    for successes, count in cases:
        error = 1 - LEVEL + min(0.01, 0.1 / math.sqrt(count))

        def end(wanted):
            """The outermost accepted proportion, found by a walk of smaller and smaller steps."""
            outer, inner = (0.0, successes / count) if wanted == "lower" else (1.0, successes / count)
            if outer == inner:
                return outer
            for _ in range(5):
                grid = numpy.linspace(outer, inner, 401)
                index = next(i for i, p in enumerate(grid) if acceptability(p, successes, count) > error)
                outer, inner = (grid[max(0, index - 1)], grid[index])
            return float(inner)

        yield {"successes": successes, "count": count, "lower": end("lower"), "upper": end("upper")}


def perplexities():
    generator = random.Random(2)
    for count in [2, 30, 500]:
        values = [-generator.gammavariate(2, 1.5) for _ in range(count)]
        mean, error = -float(numpy.mean(values)), float(stats.sem(values))
        lower, upper = hall([-value for value in values], mean, error, count - 1, count, below=False)
        yield {
            "values": values, "value": math.exp(mean), "standard_error": math.exp(mean) * error,
            "lower": math.exp(lower), "upper": math.exp(upper),
            "bootstrap_standard_error": float(numpy.std(numpy.exp(-numpy.random.default_rng(8).choice(
                values, (200_000, count) if count < 100 else (20_000, count)).mean(axis=1)))),
        }


def satterthwaite(sizes, covariance):
    """Bell and McCaffrey's degrees of freedom and bias, with the residuals' covariance written as a matrix."""
    sizes = numpy.asarray(sizes, dtype=float)
    units = len(sizes)
    maker = numpy.eye(units) - numpy.outer(sizes / sizes.sum(), numpy.ones(units))
    residual = maker @ numpy.diag(covariance) @ maker.T
    bias = numpy.sum(covariance) / numpy.trace(residual) * (units - 1) / units
    return float(min(units - 1, max(1, numpy.trace(residual) ** 2 / numpy.sum(residual**2)))), float(bias)


def degrees():
    for sizes, correlation in [([1, 2, 3, 4], 0.0), ([5] * 6, 0.4), ([40, 3, 3, 3, 3, 7], 0.25), ([1, 9], 1.0)]:
        covariance = numpy.array([u * (1 + (u - 1) * correlation) for u in sizes])
        value, bias = satterthwaite(sizes, covariance)
        yield {"sizes": sizes, "correlation": correlation, "degrees": value, "bias": bias}


def ratios():
    """The delta method in its general form: the gradient of -x/y at the means, times the covariance of the means."""
    generator = random.Random(3)
    for count in [2, 40, 400]:
        weights = [float(generator.randint(5, 400)) for _ in range(count)]
        values = [-weight * generator.gauss(3.0, 0.4) for weight in weights]
        x, y = numpy.mean(values), numpy.mean(weights)
        gradient = numpy.array([-1 / y, x / y**2])
        covariance = numpy.cov(values, weights, ddof=1) / count
        ratio, error = float(-x / y), float(math.sqrt(gradient @ covariance @ gradient))
        # With the linearised ratio's residuals as terms, and variances in proportion to squared weights.
        sizes = numpy.array(weights) / y
        freedom, bias = satterthwaite(sizes, sizes**2)
        terms = -(numpy.array(values) + ratio * numpy.array(weights))
        lower, upper = hall(terms, ratio, error * math.sqrt(bias), freedom, count, below=False)
        sampler = numpy.random.default_rng(4)
        bootstrap = stats.bootstrap(
            (values, weights), lambda v, w, axis: -v.sum(axis=axis) / w.sum(axis=axis), paired=True,
            vectorized=True, n_resamples=20000, method="percentile", rng=sampler)
        yield {
            "values": values, "weights": weights,
            "perplexity": {
                "value": math.exp(ratio), "standard_error": math.exp(ratio) * error,
                "lower": math.exp(lower), "upper": math.exp(upper),
            },
            "bits": {
                "value": ratio / math.log(2), "standard_error": error / math.log(2),
                "lower": lower / math.log(2), "upper": upper / math.log(2),
            },
            "bootstrap_bits_standard_error": float(bootstrap.standard_error) / math.log(2),
        }


def clusters():
    """The cluster-robust variance of a regression on a constant, written with matrices."""
    generator = random.Random(5)
    for count, groups in [(12, 4), (300, 40)]:
        labels = [generator.randrange(groups) for _ in range(count)]
        shifts = [generator.gauss(0, 0.2) for _ in range(groups)]
        values = [0.5 + shifts[label] + generator.gauss(0, 0.1) for label in labels]
        names = sorted(set(labels))
        member = numpy.array([[label == name for label in labels] for name in names], dtype=float)
        totals = member @ (numpy.array(values) - numpy.mean(values))
        number = len(names)
        yield {
            "values": values, "clusters": labels,
            "standard_error": float(math.sqrt(number / (number - 1) * totals @ totals) / count),
        }


print(json.dumps({
    "made_with": {"scipy": scipy.__version__, "numpy": numpy.__version__},
    "means": list(means()),
    "bounded": list(bounded()),
    "proportions": list(proportions()),
    "degrees": list(degrees()),
    "perplexities": list(perplexities()),
    "ratios": list(ratios()),
    "clusters": list(clusters()),
}, indent=1))
