"""Slices as keys: equal slices have equal keys, others do not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.scopes import Scope
from analytics.intervals import Interval
from analytics.periods import Duration, Range, rolling
from analytics.slices import MAX_TAGS, Filter, Slice
from storage.dimensions import NETWORK, PROJECT, TEMPLATE, Dimension, projects
from storage.errors import InvalidInput, LimitExceeded
from storage.facts import FACTS
from storage.facts.deployments import DEPLOYMENTS
from storage.feed.versions import Tags

WEEK = Range(datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 5, 11, tzinfo=UTC))
LAST_WEEK = rolling(Duration(days=7), WEEK.end)
YEAR = Range(datetime(2025, 5, 4, tzinfo=UTC), datetime(2026, 5, 11, tzinfo=UTC))
PLAIN = Slice("deployment", Scope.everything(), Filter(), WEEK)

_IDS = st.none() | st.lists(st.integers(0, 12), max_size=3)
_FILTERS = st.fixed_dictionaries({PROJECT: _IDS, NETWORK: _IDS, TEMPLATE: _IDS}).map(Filter.of)
_SLICES = st.builds(
    Slice,
    st.just("deployment"),
    st.sampled_from((Scope.everything(), Scope.of(()), Scope.of((1, 2)), Scope.of((12,)))),
    _FILTERS,
    st.sampled_from((WEEK, LAST_WEEK, YEAR)),
    st.sampled_from((None, Interval.DAY, Interval.WEEK, Interval.AUTO)),
    st.sampled_from(("UTC", "Asia/Kolkata")),
    st.permutations((NETWORK, PROJECT)).map(tuple),
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
    wide = replace(PLAIN, filter=Filter.of({PROJECT: range(500)}))
    other = replace(PLAIN, filter=Filter.of({PROJECT: range(501)}))
    assert len(wide.key()) < 100
    assert wide.key() != other.key()


def test_filters_are_sorted_sets() -> None:
    both = Filter.of({PROJECT: [1], NETWORK: [3, 2, 3], TEMPLATE: None})
    assert both == Filter.of({NETWORK: [2, 3], PROJECT: [1]})
    assert both.pairs == ((NETWORK, (2, 3)), (PROJECT, (1,)))
    assert both.ids(NETWORK) == (2, 3)
    assert both.ids(TEMPLATE) is None


def test_ids_of_one_dimension_are_replaced() -> None:
    both = Filter.of({PROJECT: [1], NETWORK: [2]})
    assert both.replaced(NETWORK, [9, 5]) == Filter.of({PROJECT: [1], NETWORK: [5, 9]})
    assert both.replaced(NETWORK, None) == Filter.of({PROJECT: [1]})
    assert both.replaced(TEMPLATE, ()).ids(TEMPLATE) == ()


def test_auto_is_resolved_when_made() -> None:
    assert replace(PLAIN, interval=Interval.AUTO) == replace(PLAIN, interval=Interval.HOUR)


def test_projects_are_those_of_scope_and_filter() -> None:
    scoped = replace(PLAIN, scope=Scope.of((1, 2, 3)))
    assert scoped.project_ids == (1, 2, 3)
    assert replace(scoped, filter=Filter.of({PROJECT: (2, 9)})).project_ids == (2,)
    assert PLAIN.project_ids is None
    assert replace(PLAIN, filter=Filter.of({PROJECT: (9,)})).project_ids == (9,)


@pytest.mark.parametrize(
    "empty",
    [
        replace(PLAIN, scope=Scope.of(())),
        replace(PLAIN, scope=Scope.of((1,)), filter=Filter.of({PROJECT: (2,)})),
        replace(PLAIN, filter=Filter.of({TEMPLATE: ()})),
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
        replace(PLAIN, group_by=(NETWORK, NETWORK))


def test_only_the_dimensions_of_the_fact_are_taken() -> None:
    moon = Dimension("moon", projects)
    for changes in ({"group_by": (moon,)}, {"filter": Filter.of({moon: [2]})}):
        with pytest.raises(ValueError, match="no dimension moon"):
            replace(PLAIN, **changes)
    assert replace(PLAIN, group_by=(PROJECT,)).group_by == (PROJECT,)


def test_only_what_the_fact_has_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FACTS, "bare", replace(DEPLOYMENTS, timing=None, presences=()))
    with pytest.raises(ValueError, match="histogram"):
        replace(PLAIN, fact="bare", histogram=True)
    with pytest.raises(ValueError, match="distinct projects"):
        replace(PLAIN, fact="bare", distinct=True)
