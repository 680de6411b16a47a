"""Writes reference.json: standard errors and intervals as SciPy and NumPy compute them.

    python3 make_reference.py > reference.json
"""

import json
import math
import random

import numpy
import scipy
from scipy import stats

LEVEL = 0.95
Z = stats.norm.ppf((1 + LEVEL) / 2)


def means():
    generator = random.Random(1)
    cases = {
        "two": [0.25, 0.75],
        "normal": [generator.gauss(0.4, 0.3) for _ in range(200)],
        "scores": [generator.choice([0.0, 0.25, 0.5, 1.0]) for _ in range(57)],
        "far from zero": [1e9 + generator.random() for _ in range(100)],
        "balanced zeros and ones": [float(generator.random() < 0.4) for _ in range(100)],
    }
    for name, values in cases.items():
        mean, error = float(numpy.mean(values)), float(stats.sem(values))
        lower, upper = stats.norm.interval(LEVEL, loc=mean, scale=error)
        yield {
            "name": name, "values": values, "mean": mean, "standard_error": error,
            "lower": float(lower), "upper": float(upper),
        }


def proportions():
    for successes, count in [(0, 1), (1, 1), (0, 10), (1, 10), (5, 10), (9, 19), (3, 100), (100, 100), (991, 1000)]:
        interval = stats.binomtest(successes, count).proportion_ci(LEVEL, method="wilson")
        yield {
            "successes": successes, "count": count, "lower": float(interval.low), "upper": float(interval.high),
        }


def perplexities():
    generator = random.Random(2)
    for count in [2, 30, 500]:
        values = [-generator.gammavariate(2, 1.5) for _ in range(count)]
        mean, error = -float(numpy.mean(values)), float(stats.sem(values))
        lower, upper = stats.norm.interval(LEVEL, loc=mean, scale=error)
        yield {
            "values": values, "value": math.exp(mean), "standard_error": math.exp(mean) * error,
            "lower": math.exp(lower), "upper": math.exp(upper),
        }


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
        lower, upper = (float(end) for end in stats.norm.interval(LEVEL, loc=ratio, scale=error))
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
    "z": float(Z),
    "means": list(means()),
    "proportions": list(proportions()),
    "perplexities": list(perplexities()),
    "ratios": list(ratios()),
    "clusters": list(clusters()),
}, indent=1))
