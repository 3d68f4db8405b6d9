"""Upper tails of the distributions that the tests use: P(X ≥ k)."""

from functools import lru_cache
from itertools import accumulate
from math import exp, lgamma, log, log1p
from operator import mul

# Up to this many trials a beta-binomial tail is summed term by term.
_MOST_TERMS = 500
_TINY = 1e-300
_PRECISION = 1e-12


def log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def log_choose(total: int, chosen: int) -> float:
    return lgamma(total + 1) - lgamma(chosen + 1) - lgamma(total - chosen + 1)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Returns the regularised incomplete beta function I_x(a, b).

    By the continued fraction of the Digital Library of Mathematical Functions, 8.17.22, evaluated
    by Lentz's method (Press et al., Numerical Recipes, 5.2 and 6.4).
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly
        return 1 - incomplete_beta(1 - x, b, a)
    front = exp(a * log(x) + b * log1p(-x) - log_beta(a, b)) / a
    return min(1.0, front * _continued_fraction(x, a, b))


def _continued_fraction(x: float, a: float, b: float) -> float:
    upper, lower = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    result, step = lower, 0
    while True:
        step += 1
        double = 2 * step
        for numerator in (
            step * (b - step) * x / ((a + double - 1) * (a + double)),
            -(a + step) * (a + b + step) * x / ((a + double) * (a + double + 1)),
        ):
            lower = 1 / _away_from_zero(1 + numerator * lower)
            upper = _away_from_zero(1 + numerator / upper)
            result *= lower * upper
        if abs(lower * upper - 1) < _PRECISION:
            return result


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


@lru_cache(maxsize=4_096)  # windows of few trials are asked about again and again
def binomial_at_least(count: int, trials: int, chance: float) -> float:
    """Returns the probability of at least ``count`` successes, each with the same chance."""
    if count <= 0:
        return 1.0
    if count > trials:
        return 0.0
    return incomplete_beta(chance, count, trials - count + 1)


def binomial_at_most(count: int, trials: int, chance: float) -> float:
    """Returns the probability of at most ``count`` successes, each with the same chance."""
    return binomial_at_least(trials - count, trials, 1 - chance)


def beta_binomial_at_least(count: int, trials: int, a: float, b: float) -> float:
    """Returns the probability of at least ``count`` successes, whose chance is Beta(a, b).

    Many trials are not summed: there the share of successes is taken as a beta distribution of the
    same mean and variance.
    """
    if count <= 0:
        return 1.0
    if count > trials:
        return 0.0
    if count < trials * a / (a + b):  # the other tail is the smaller one
        return 1 - beta_binomial_at_least(trials - count + 1, trials, b, a)
    if trials <= _MOST_TERMS:
        first = log_choose(trials, count) + log_beta(count + a, trials - count + b)
        # Each term follows from the one before it.
        ratios = (
            (trials - k) * (k + a) / ((k + 1) * (trials - k - 1 + b)) for k in range(count, trials)
        )
        return min(1.0, sum(accumulate(ratios, mul, initial=exp(first - log_beta(a, b)))))
    mean, correlation = a / (a + b), 1 / (a + b + 1)
    sizes = trials / (1 + (trials - 1) * correlation) - 1
    return 1 - incomplete_beta((count - 0.5) / trials, sizes * mean, sizes * (1 - mean))


def negative_binomial_at_least(count: int, mean: float, clusters: float) -> float:
    """Returns the probability of at least ``count`` events of variance mean · (1 + clusters).

    This is a Poisson process of bursts whose sizes have a logarithmic distribution (Quenouille,
    Biometrics 5, 1949).
    """
    if count <= 0:
        return 1.0
    return incomplete_beta(clusters / (1 + clusters), count, mean / clusters)


def hypergeometric_at_least(count: int, population: int, marked: int, drawn: int) -> float:
    """Returns the probability that at least ``count`` of those drawn are marked.

    This is Fisher's exact test, one-sided (Fisher, The Design of Experiments, 1935).
    """
    if count <= max(0, marked + drawn - population):
        return 1.0
    scale = log_choose(population, drawn)
    terms = (
        log_choose(marked, k) + log_choose(population - marked, drawn - k) - scale
        for k in range(count, min(marked, drawn) + 1)
    )
    return min(1.0, sum(map(exp, terms)))
