"""Distributions: of durations over ranges, and of entities over statuses."""

from bisect import bisect_right
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.components import Components
from analytics.distributions import MOST_RANGES, by_status, distribution
from storage.facts import FACTS
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Fact
from storage.facts.lifecycle import Status
from tests.analytics.questions import cell

FACT = DEPLOYMENTS.name
assert DEPLOYMENTS.timing is not None
SHAPE = DEPLOYMENTS.timing.histogram

_DURATIONS_US = st.lists(
    st.integers(0, 2 * SHAPE.lower_bound_us(SHAPE.buckets)) | st.integers(0, 10**6), max_size=200
)


def timed(durations_us: list[int]) -> Components:
    histogram = [0] * SHAPE.buckets
    for duration in durations_us:
        histogram[bisect_right(SHAPE.thresholds_us(), duration)] += 1
    return cell(timed=len(durations_us))._replace(histogram=tuple(histogram))


@given(durations_us=_DURATIONS_US)
def test_each_duration_lies_in_one_of_few_adjacent_ranges(durations_us: list[int]) -> None:
    found = distribution(timed(durations_us), FACT)
    assert len(found) <= MOST_RANGES
    assert sum(part.count for part in found) == len(durations_us)
    for left, right in pairwise(found):
        assert left.to_ms == right.from_ms
        assert left.count or right.count
    for part in found:
        low_us, high_us = part.from_ms * 1000, (part.to_ms or 1e15) * 1000
        assert part.count == len([d for d in durations_us if low_us <= d < high_us])
    if found:
        assert found[0].count
        assert found[-1].count


def test_few_durations_keep_the_histograms_own_buckets() -> None:
    found = distribution(timed([300_000, 300_000, 9_000_000]), FACT)
    assert [part.count for part in found] == [2, 0, 1]
    assert found[0].to_ms is not None
    assert found[0].to_ms / found[0].from_ms == pytest.approx(2 ** (1 / 8), rel=1e-3)


def test_first_and_last_range_hold_all_that_is_beyond() -> None:
    first, *_, last = distribution(timed([1, SHAPE.lower_bound_us(SHAPE.buckets) * 9]), FACT)
    assert (first.from_ms, last.to_ms) == (0.0, None)


def test_no_known_duration_has_no_ranges() -> None:
    assert distribution(timed([]), FACT) == []
    assert distribution(cell()._replace(histogram=()), FACT) == []


def test_distribution_needs_a_histogram() -> None:
    with pytest.raises(ValueError, match="histogram"):
        distribution(cell(timed=1), FACT)


def test_statuses_add_up_to_all_attempts() -> None:
    some = cell(attempts=10, queued=1, succeeded=3, failed=2, rolled_back=1)
    assert {found.status: found.count for found in by_status(some, FACT)} == {
        Status.QUEUED: 1,
        Status.IN_PROGRESS: 3,
        Status.SUCCEEDED: 3,
        Status.FAILED: 2,
        Status.CANCELLED: 0,
        Status.ROLLED_BACK: 1,
    }


def test_facts_without_a_lifecycle_have_no_status(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {name: getattr(DEPLOYMENTS, name) for name in Fact.__dataclass_fields__}
    monkeypatch.setitem(FACTS, "plain", Fact(**fields))
    with pytest.raises(ValueError, match="no status"):
        by_status(cell(), "plain")
