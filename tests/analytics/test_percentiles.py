"""Percentiles by nearest rank: exact, or within the stated error bound."""

from bisect import bisect_right
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import percentiles
from analytics.components import Components, total
from storage.errors import InvalidInput
from storage.facts.deployments import DEPLOYMENTS
from tests.analytics.questions import cell

assert DEPLOYMENTS.timing is not None
SHAPE = DEPLOYMENTS.timing.histogram
HOURS_74_US = 74 * 3_600_000_000

_DURATIONS = st.lists(st.integers(SHAPE.base_us, HOURS_74_US), min_size=1, max_size=60)


def components(durations_us: list[int], *, exact: bool = False) -> Components:
    histogram = [0] * SHAPE.buckets
    for duration in durations_us:
        histogram[bisect_right(SHAPE.thresholds_us(), duration)] += 1
    counts = cell(timed=len(durations_us), duration_us=sum(durations_us)).counts
    known = tuple(sorted(durations_us)) if exact else None
    return Components(counts, tuple(histogram), durations_us=known)


def percentile_ms(cell: Components, fraction: float) -> float | None:
    return percentiles.percentile_ms(cell, fraction, DEPLOYMENTS.name)


@given(durations=_DURATIONS, percent=st.integers(0, 100))
def test_percentile_is_within_the_bound(durations: list[int], percent: int) -> None:
    nearest = sorted(durations)[max(1, ceil(percent * len(durations) / 100)) - 1] / 1000
    found = percentile_ms(components(durations), percent / 100)
    assert found is not None
    assert abs(found - nearest) <= SHAPE.relative_error * nearest
    assert percentile_ms(components(durations, exact=True), percent / 100) == nearest


@given(durations=_DURATIONS, others=_DURATIONS, percent=st.integers(0, 100))
def test_percentile_of_a_sum_is_that_of_all(
    durations: list[int], others: list[int], percent: int
) -> None:
    for exact in (True, False):
        parts = [components(durations, exact=exact), components(others, exact=exact)]
        both, whole = total(parts, parts[0]), components(durations + others, exact=exact)
        assert percentile_ms(both, percent / 100) == percentile_ms(whole, percent / 100)


def test_stated_bound_is_one_bucket() -> None:
    assert SHAPE.relative_error == pytest.approx(0.0905, abs=1e-4)
    assert SHAPE.lower_bound_us(SHAPE.buckets) > HOURS_74_US


def test_percentiles_never_fall_as_the_fraction_grows() -> None:
    sample = components([300_000, 400_000, 400_001, 9_000_000, 80_000_000])
    values = [percentile_ms(sample, percent / 100) or 0 for percent in range(101)]
    assert values == sorted(values)


@pytest.mark.parametrize("exact", [True, False])
def test_nothing_timed_has_no_percentile(exact: bool) -> None:
    assert percentile_ms(components([], exact=exact), 0.5) is None


@pytest.mark.parametrize("fraction", [-0.1, 1.1, 50, float("nan")])
def test_fraction_beyond_the_whole_is_refused(fraction: float) -> None:
    with pytest.raises(InvalidInput):
        percentile_ms(components([1_000_000]), fraction)


def test_slice_without_histogram_has_no_percentiles() -> None:
    with pytest.raises(ValueError, match="histogram"):
        percentile_ms(cell(timed=1), 0.5)
