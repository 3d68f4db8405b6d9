"""Plans: the tables and the spans of time read from each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from access.scopes import Scope
from analytics.intervals import Interval
from analytics.periods import Range
from analytics.plan import Horizon, Scan, check_interval, instant, make_plan, microseconds
from analytics.shapes import shape_of
from analytics.slices import Filter, Slice
from storage.dimensions import ENVIRONMENT, FRAMEWORK, NETWORK, PROJECT, TEMPLATE
from storage.errors import InvalidInput
from storage.facts import FACTS
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Entity
from storage.facts.parts import grains
from storage.keeping.windows import Retention

NOW = datetime(2026, 6, 15, 12, 30, 20, tzinfo=UTC)
KEPT = Retention()
HORIZON = Horizon.at(KEPT, NOW)
ONE = Scope.of((5,))
ALL = Scope.everything()


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def asked(span: Range, scope: Scope = ONE, **changes: Any) -> Slice:
    return Slice("deployment", scope, changes.pop("filter", Filter()), span, **changes)


def tables(scans: tuple[Scan, ...]) -> dict[str, list[str]]:
    """The windows of each kind and grain of tables, as text."""
    return {
        "_".join(filter(None, (scan.layer.kind, scan.layer.grain))): [
            f"{instant(low):%m-%d %H:%M}/{instant(high):%m-%d %H:%M}" for low, high in scan.windows
        ]
        for scan in scans
    }


def read(question: Slice) -> dict[str, list[str]]:
    return tables(make_plan(question, HORIZON).counts)


DAYS = Range(utc(2026, 6, 1), utc(2026, 6, 11))
RAGGED = Range(utc(2026, 6, 1, 22, 10), utc(2026, 6, 11, 1, 40))


def test_whole_days_need_the_day_table_alone() -> None:
    assert read(asked(DAYS)) == {"project_day": ["06-01 00:00/06-11 00:00"]}
    assert read(asked(DAYS, ALL)) == {"platform_day": ["06-01 00:00/06-11 00:00"]}
    assert read(asked(DAYS, interval=Interval.DAY)) == read(asked(DAYS))


def test_ragged_edges_come_from_finer_tables() -> None:
    assert read(asked(RAGGED)) == {
        "project_day": ["06-02 00:00/06-11 00:00"],
        "project_hour": ["06-01 23:00/06-02 00:00", "06-11 00:00/06-11 01:00"],
        "facts": [
            "06-01 22:10/06-01 23:00",
            "06-11 01:00/06-11 01:40",
        ],
    }
    assert read(asked(RAGGED, ALL)) == {
        "platform_day": ["06-02 00:00/06-11 00:00"],
        "platform_quarter": ["06-01 22:15/06-02 00:00", "06-11 00:00/06-11 01:30"],
        "facts": ["06-01 22:10/06-01 22:15", "06-11 01:30/06-11 01:40"],
    }


def test_recent_minutes_come_from_their_own_table() -> None:
    span = Range(utc(2026, 6, 15, 9, 0), utc(2026, 6, 15, 12, 31))
    hours = {"project_hour": ["06-15 09:00/06-15 12:00"]}
    assert read(asked(span)) == hours | {"project_minute": ["06-15 12:00/06-15 12:31"]}
    assert read(asked(span, histogram=True)) == read(asked(span))


@pytest.mark.parametrize("name", FACTS)
def test_minutes_spare_the_events_but_not_the_few_entities(name: str) -> None:
    span = Range(utc(2026, 6, 1, 9, 30), utc(2026, 6, 15, 12, 10))
    found = read(Slice(name, ONE, Filter(), span))
    last = "06-15 12:00/06-15 12:10"
    is_entity = isinstance(FACTS[name], Entity)
    assert (last in found["facts"]) is is_entity
    assert ("project_minute" in found) is not is_entity


def test_minutes_have_no_histogram_of_a_dimension() -> None:
    span = Range(utc(2026, 6, 15, 9, 0), utc(2026, 6, 15, 12, 31))
    question = asked(span, histogram=True, group_by=(NETWORK,))
    assert read(question) == {
        "project_hour": ["06-15 09:00/06-15 12:00"],
        "facts": ["06-15 12:00/06-15 12:31"],
    }


def test_minutes_of_the_platform_are_those_of_all_projects() -> None:
    span = Range(utc(2026, 6, 15, 10, 0), utc(2026, 6, 15, 12, 0))
    question = asked(span, ALL, interval=Interval.MINUTE)
    assert read(question) == {"project_minute": ["06-15 10:00/06-15 12:00"]}


def test_half_hour_zone_takes_edge_hours_from_facts() -> None:
    span = Range(utc(2026, 6, 1, 18, 30), utc(2026, 6, 3, 18, 30))
    assert read(asked(span, interval=Interval.DAY, zone="Asia/Kolkata")) == {
        "project_hour": ["06-01 19:00/06-02 18:00", "06-02 19:00/06-03 18:00"],
        "facts": [
            "06-01 18:30/06-01 19:00",
            "06-02 18:00/06-02 19:00",
            "06-03 18:00/06-03 18:30",
        ],
    }
    assert read(asked(span, ALL, interval=Interval.DAY, zone="Asia/Kolkata")) == {
        "platform_quarter": ["06-01 18:30/06-03 18:30"]
    }


def test_project_grouping_needs_the_project_tables() -> None:
    assert "project_day" in read(asked(DAYS, ALL, group_by=(PROJECT,)))


@pytest.mark.parametrize("scope", [ONE, ALL])
@pytest.mark.parametrize(
    ("changes", "cell"),
    [
        ({}, "total"),
        ({"filter": Filter.of({PROJECT: (5,)})}, "total"),
        ({"group_by": (PROJECT,)}, "total"),
        ({"group_by": (NETWORK,)}, "network"),
        ({"group_by": (PROJECT, NETWORK)}, "network"),
        ({"filter": Filter.of({NETWORK: (2,)})}, "network"),
        ({"group_by": (NETWORK, TEMPLATE)}, "finest"),
        ({"group_by": (NETWORK,), "filter": Filter.of({FRAMEWORK: (0,)})}, "finest"),
        ({"group_by": (ENVIRONMENT,)}, "environment"),
        ({"group_by": (FRAMEWORK,)}, "finest"),
    ],
)
def test_smallest_cell_that_tells_enough_apart_is_read(
    scope: Scope, changes: dict[str, Any], cell: str
) -> None:
    assert make_plan(asked(DAYS, scope, **changes), HORIZON).cell.name == cell


def test_cell_of_projects_only_is_summed_over_all_projects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cells = tuple(replace(cell, of_platform=cell.name != "finest") for cell in DEPLOYMENTS.cells)
    monkeypatch.setitem(FACTS, "own", replace(DEPLOYMENTS, cells=cells, grains=grains(cells)))
    for by, table in ((NETWORK, "platform_day"), (FRAMEWORK, "project_day")):
        question = replace(asked(DAYS, ALL, group_by=(by,), histogram=True), fact="own")
        plan = make_plan(question, HORIZON)
        assert list(tables(plan.counts)) == [table]
        (scan,) = shape_of(question, plan).counts
        assert scan.each_project is (by is FRAMEWORK)


@pytest.mark.parametrize(
    ("question", "table"),
    [
        (asked(DAYS, ALL, distinct=True), "presence_day"),
        (asked(DAYS, ALL, distinct=True, group_by=(NETWORK,)), "presence_day"),
        (asked(DAYS, ALL, distinct=True, filter=Filter.of({TEMPLATE: (2,)})), "project_day"),
        (asked(DAYS, ONE, distinct=True), "project_day"),
    ],
)
def test_distinct_projects_come_from_presence_where_it_suffices(
    question: Slice, table: str
) -> None:
    scans = make_plan(question, HORIZON).projects
    assert tables(scans) == {table: ["06-01 00:00/06-11 00:00"]}


# The default retention reaches back to 17 March for hours and facts.
OLD = Range(utc(2026, 2, 1, 18, 30), utc(2026, 6, 1))


@pytest.mark.parametrize("scope", [ONE, ALL])
def test_old_edges_move_to_the_nearest_day(scope: Scope) -> None:
    plan = make_plan(asked(OLD, scope), HORIZON)
    assert plan.approximate
    assert [instant(edge) for edge in plan.edges_us] == [utc(2026, 2, 2), utc(2026, 6, 1)]
    (scan,) = plan.counts
    assert scan.layer.grain == "day"


def test_old_whole_days_are_exact() -> None:
    assert not make_plan(asked(Range(utc(2026, 2, 1), utc(2026, 6, 1))), HORIZON).approximate


def test_local_days_are_cut_exactly_where_hours_are_kept() -> None:
    span = Range(utc(2026, 3, 10, 5), utc(2026, 3, 25, 4))
    question = asked(span, interval=Interval.DAY, zone="America/New_York")
    plan = make_plan(question, HORIZON)
    moved = [instant(edge) for edge in plan.edges_us if edge % microseconds(utc(1970, 1, 2))]
    assert plan.approximate
    assert moved[0] == utc(2026, 3, 17, 4)


def test_facts_kept_shorter_than_hours_leave_whole_hours() -> None:
    kept = Retention(events_days=10, fine_days=90)
    question = asked(Range(utc(2026, 5, 1, 7, 40), utc(2026, 6, 15, 7, 40)))
    plan = make_plan(question, Horizon.at(kept, NOW))
    assert instant(plan.edges_us[0]) == utc(2026, 5, 1, 8)
    assert instant(plan.edges_us[1]) == utc(2026, 6, 15, 7, 40)
    assert plan.approximate


def test_rows_are_read_only_where_all_of_them_are_stored() -> None:
    days_first = Horizon.at(Retention(events_days=400, day_days=100), NOW)
    assert days_first.rows_us(DEPLOYMENTS) == microseconds(utc(2026, 3, 7))
    events_first = Horizon.at(Retention(events_days=30, day_days=100), NOW)
    assert events_first.rows_us(DEPLOYMENTS) == microseconds(utc(2026, 5, 16))
    errors_first = Horizon.at(Retention(error_days=10), NOW)
    assert errors_first.rows_us(ERROR_OCCURRENCES) == microseconds(utc(2026, 6, 5))
    assert errors_first.rows_us(DEPLOYMENTS) == Horizon.at(Retention(), NOW).rows_us(DEPLOYMENTS)


def test_nothing_is_planned_before_all_that_is_kept() -> None:
    assert make_plan(asked(Range(utc(2020, 1, 1), utc(2020, 2, 1))), HORIZON).counts == ()


def test_hours_where_only_days_are_kept_are_refused() -> None:
    span = Range(utc(2026, 3, 1), utc(2026, 3, 2))
    with pytest.raises(InvalidInput, match="only whole days"):
        check_interval(asked(span, interval=Interval.HOUR), HORIZON)
    check_interval(asked(span, interval=Interval.DAY), HORIZON)
    check_interval(asked(span, interval=Interval.HOUR), Horizon.at(Retention(fine_days=0), NOW))


@pytest.mark.parametrize("scope", [ONE, ALL])
@pytest.mark.parametrize("minutes", [0, 7, 15, 30, 60])
def test_parts_cover_every_moment_once(scope: Scope, minutes: int) -> None:
    span = Range(
        utc(2026, 5, 2) + timedelta(minutes=minutes),
        utc(2026, 6, 15, 12) - timedelta(minutes=minutes),
    )
    for zone in ("UTC", "Asia/Kolkata", "Australia/Lord_Howe"):
        plan = make_plan(asked(span, scope, interval=Interval.DAY, zone=zone), HORIZON)
        windows = sorted(window for scan in plan.counts for window in scan.windows)
        assert windows[0][0] == microseconds(span.start)
        assert windows[-1][1] == microseconds(span.end)
        for left, right in pairwise(windows):
            assert left[1] == right[0]
