"""Slices as keys: equal slices have equal keys, others do not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.scopes import Scope
from analytics.dimensions import Dimension
from analytics.intervals import Interval
from analytics.periods import Duration, Range, rolling
from analytics.slices import MAX_TAGS, Filter, Slice
from storage.errors import InvalidInput, LimitExceeded
from storage.feed.versions import Tags

WEEK = Range(datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 5, 11, tzinfo=UTC))
LAST_WEEK = rolling(Duration(days=7), WEEK.end)
YEAR = Range(datetime(2025, 5, 4, tzinfo=UTC), datetime(2026, 5, 11, tzinfo=UTC))
PLAIN = Slice("deployment", Scope.everything(), Filter(), WEEK)

_IDS = st.none() | st.lists(st.integers(0, 12), max_size=3)
_SLICES = st.builds(
    Slice,
    st.just("deployment"),
    st.sampled_from((Scope.everything(), Scope.of(()), Scope.of((1, 2)), Scope.of((12,)))),
    st.builds(Filter.of, projects=_IDS, networks=_IDS, templates=_IDS),
    st.sampled_from((WEEK, LAST_WEEK, YEAR)),
    st.sampled_from((None, Interval.DAY, Interval.WEEK, Interval.AUTO)),
    st.sampled_from(("UTC", "Asia/Kolkata")),
    st.permutations((Dimension.NETWORK, Dimension.PROJECT)).map(tuple),
    st.booleans(),
    st.booleans(),
)


def test_slice_without_a_scope_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        Slice("deployment", None, Filter(), WEEK)  # type: ignore[arg-type]


@given(left=_SLICES, right=_SLICES)
def test_keys_are_equal_exactly_when_slices_are(left: Slice, right: Slice) -> None:
    assert (left.key() == right.key()) == (left == right)
    assert (left == right) <= (hash(left) == hash(right))


def test_long_keys_are_shortened_and_stay_distinct() -> None:
    wide = replace(PLAIN, filter=Filter.of(projects=range(500)))
    other = replace(PLAIN, filter=Filter.of(projects=range(501)))
    assert len(wide.key()) < 100
    assert wide.key() != other.key()


def test_filters_are_sorted_sets() -> None:
    assert Filter.of(networks=[3, 2, 3]) == Filter(networks=(2, 3))


def test_auto_is_resolved_when_made() -> None:
    assert replace(PLAIN, interval=Interval.AUTO) == replace(PLAIN, interval=Interval.DAY)


def test_projects_are_those_of_scope_and_filter() -> None:
    scoped = replace(PLAIN, scope=Scope.of((1, 2, 3)))
    assert scoped.project_ids == (1, 2, 3)
    assert replace(scoped, filter=Filter.of(projects=(2, 9))).project_ids == (2,)
    assert PLAIN.project_ids is None
    assert replace(PLAIN, filter=Filter.of(projects=(9,))).project_ids == (9,)


@pytest.mark.parametrize(
    "empty",
    [
        replace(PLAIN, scope=Scope.of(())),
        replace(PLAIN, scope=Scope.of((1,)), filter=Filter.of(projects=(2,))),
        replace(PLAIN, filter=Filter.of(templates=())),
    ],
)
def test_slices_that_match_nothing_are_known(empty: Slice) -> None:
    assert empty.is_empty
    assert not PLAIN.is_empty


def test_tags_name_the_fact_its_projects_and_the_utc_days() -> None:
    days = (date(2026, 5, 4), date(2026, 5, 11))
    assert PLAIN.tags() == Tags("deployment", None, days)
    assert replace(PLAIN, scope=Scope.of((7,))).tags() == Tags("deployment", (7,), days)
    crowd = Scope.of(range(MAX_TAGS + 1))
    assert replace(PLAIN, scope=crowd).tags() == Tags("deployment", None, days)
    longer = Range(WEEK.start, WEEK.end + timedelta(seconds=1))
    assert replace(PLAIN, range=longer).tags().days == (date(2026, 5, 4), date(2026, 5, 12))


def test_bad_zone_and_endless_series_are_refused_when_made() -> None:
    with pytest.raises(InvalidInput):
        replace(PLAIN, zone="Nowhere")
    with pytest.raises(LimitExceeded):
        replace(PLAIN, interval=Interval.MINUTE)


def test_unknown_fact_and_repeated_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown fact"):
        replace(PLAIN, fact="weather")
    with pytest.raises(ValueError, match="twice"):
        replace(PLAIN, group_by=(Dimension.NETWORK, Dimension.NETWORK))
