"""Tails of distributions agree with published values, and with sums of their terms."""

from math import comb, exp, factorial

import pytest

from analytics.tails import (
    beta_binomial_at_least,
    hypergeometric_at_least,
    incomplete_beta,
    negative_binomial_at_least,
)


@pytest.mark.parametrize(
    ("t", "freedom", "two_sided"),
    # Student's t distribution, from the usual table of critical values.
    [
        (12.706, 1, 0.05),
        (2.228, 10, 0.05),
        (3.169, 10, 0.01),
        (2.042, 30, 0.05),
        (1.984, 100, 0.05),
    ],
)
def test_incomplete_beta_gives_students_table(t: float, freedom: int, two_sided: float) -> None:
    found = incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)
    assert found == pytest.approx(two_sided, rel=0.002)


def test_incomplete_beta_has_its_edges_and_symmetry() -> None:
    assert (incomplete_beta(0, 2, 3), incomplete_beta(1, 2, 3)) == (0, 1)
    assert incomplete_beta(0.5, 2, 3) == pytest.approx(11 / 16)
    for x in (0.01, 0.3, 0.7, 0.999):
        assert incomplete_beta(x, 40, 0.5) == pytest.approx(1 - incomplete_beta(1 - x, 0.5, 40))


def test_hypergeometric_is_fishers_tea_tasting() -> None:
    # Eight cups, four with milk first, four named: all right has one chance in seventy.
    assert hypergeometric_at_least(4, 8, 4, 4) == pytest.approx(1 / 70)
    assert hypergeometric_at_least(3, 8, 4, 4) == pytest.approx(17 / 70)
    assert hypergeometric_at_least(0, 8, 4, 4) == 1
    assert hypergeometric_at_least(5, 8, 4, 4) == 0


def test_hypergeometric_is_right_on_both_sides_of_its_mean() -> None:
    population, marked, drawn = 60, 25, 20
    for count in range(1, 21):
        whole = sum(
            comb(marked, k) * comb(population - marked, drawn - k)
            for k in range(count, min(marked, drawn) + 1)
        )
        expected = whole / comb(population, drawn)
        assert hypergeometric_at_least(count, population, marked, drawn) == pytest.approx(expected)


def test_beta_binomial_of_a_flat_prior_is_uniform() -> None:
    for count in range(11):
        assert beta_binomial_at_least(count, 10, 1, 1) == pytest.approx((11 - count) / 11)


def test_beta_binomial_of_much_knowledge_is_binomial() -> None:
    for count in (3, 20, 40):
        found = beta_binomial_at_least(count, 160, 1e8, 7e8)
        terms = (comb(160, k) * 0.125**k * 0.875 ** (160 - k) for k in range(count, 161))
        assert found == pytest.approx(sum(terms), rel=1e-4)


def test_beta_binomial_of_many_trials_continues_that_of_few() -> None:
    for count in (70, 100, 150):
        few = beta_binomial_at_least(count, 500, 2, 14)
        many = beta_binomial_at_least(count, 501, 2, 14)
        assert many == pytest.approx(few, rel=0.05)


def test_negative_binomial_of_one_burst_is_geometric() -> None:
    for count in (1, 5, 30):
        assert negative_binomial_at_least(count, 4, 4) == pytest.approx(0.8**count)


def test_negative_binomial_of_small_bursts_is_poisson() -> None:
    below = sum(exp(-3) * 3**k / factorial(k) for k in range(8))
    assert negative_binomial_at_least(8, 3, 1e-4) == pytest.approx(1 - below, rel=0.01)
