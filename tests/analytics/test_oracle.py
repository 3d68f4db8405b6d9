"""Every measure of every fact by every dimension equals the oracle's, on a real database."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isclose

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.scopes import Scope
from analytics.answer import Answer
from analytics.components import Components
from analytics.distributions import by_status, distribution
from analytics.intervals import Interval
from analytics.measures import measures_of
from analytics.periods import Range
from analytics.run import Analytics
from analytics.slices import Filter, Slice
from storage.dimensions import PROJECT, Dimension
from storage.facts import FACTS
from storage.facts.fact import Entity
from tests.analytics import oracle
from tests.analytics.oracle import Row
from tests.analytics.questions import ALL, MARCH, RAGGED, TWO, question, run_many
from tests.analytics.world import NOW, SPANS, World

ZONES = ("UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe")


def matching(rows: Iterable[Row], question: Slice) -> list[Row]:
    wanted = [(dimension.name, ids) for dimension, ids in question.filter.pairs]
    if question.scope.project_ids is not None:
        wanted.append(("project", question.scope.project_ids))
    return [row for row in rows if all(row.id(name) in ids for name, ids in wanted)]


def grouped(rows: Iterable[Row], question: Slice) -> dict[tuple[int, ...], list[Row]]:
    groups: dict[tuple[int, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row.id(dimension.name) for dimension in question.group_by)
        groups.setdefault(key, []).append(row)
    return groups


def check(answer: Answer, question: Slice, rows: Iterable[Row]) -> None:
    """Compares every measure of every cell, total and grand total with the oracle."""
    span, zone = question.range, question.zone
    rows = list(rows)
    valid = oracle.in_force(rows, span.end) if "certificate" in question.fact else []
    selected = matching(rows, question)
    inside = [row for row in selected if touches(row, span) or stands(row, valid, question)]
    groups = grouped(inside, question) if question.group_by else {(): inside}
    assert set(answer.rows) == set(groups)
    check_buckets(answer, question)
    everything = whole_cell(selected, valid, question)
    assert isclose(answer.days, everything.days)
    compare(answer.total, answer.total, everything, question)
    for key, members in groups.items():
        whole = whole_cell(members, valid, question, all_began=everything.all_began)
        compare(answer.totals[key], answer.total, whole, question)
        for bucket, found in zip(answer.buckets, answer.rows[key], strict=True):
            cell = oracle.cell(members, bucket.start, bucket.end, zone=zone)
            assert isclose(bucket.days, cell.days)
            compare(found, found, cell, question)


def whole_cell(
    rows: list[Row], valid: list[Row], question: Slice, all_began: int | None = None
) -> oracle.Cell:
    """The cell of the whole range, with how things stand at its end."""
    start, end, zone = question.range.start, question.range.end, question.zone
    at_end = None
    if question.ages:
        at_end = oracle.at_end(rows, [row for row in rows if row in valid], start, end)
    return oracle.cell(rows, start, end, zone=zone, all_began=all_began, at_end=at_end)


def stands(row: Row, valid: list[Row], question: Slice) -> bool:
    """Whether the slice shows the row for how it stands at the end of the range."""
    if not question.ages:
        return False
    expires = row in valid and row.columns["not_after"] is not None
    return expires or oracle.runs(row, question.range.start, question.range.end)


def touches(row: Row, span: Range) -> bool:
    return any(at is not None and span.start <= at < span.end for at in (row.began, row.ended))


def check_buckets(answer: Answer, question: Slice) -> None:
    """The buckets cover the range without gaps, cut by the wall clock."""
    buckets = answer.buckets
    assert (buckets[0].start, buckets[-1].end) == (question.range.start, question.range.end)
    for left, right in pairwise(buckets):
        assert left.end == right.start
    if question.interval is None:
        return
    names = []
    for bucket in buckets:
        last = bucket.end - timedelta(microseconds=1)
        first, end = (
            oracle.label(at, question.interval, question.zone) for at in (bucket.start, last)
        )
        assert first == end
        names.append(first)
    assert len(set(names)) == len(names)


def compare(found: Components, whole: Components, expected: oracle.Cell, question: Slice) -> None:
    known = oracle.measures(question.fact)
    for measure in measures_of(question.fact):
        name = measure.name
        if measure.needs_histogram and not question.histogram:
            continue
        if measure.needs_projects and not question.distinct:
            continue
        value = measure.value(found, days=expected.days, whole=whole)
        wanted = known[name](expected)
        if value is None or wanted is None:
            assert value is wanted, name
        elif measure.needs_histogram and found.durations_us is None:
            assert measure.error_bound is not None
            assert abs(value - wanted) <= measure.error_bound * wanted, name
        else:
            assert isclose(value, wanted, rel_tol=1e-9), name


@pytest.mark.parametrize("fact", FACTS)
def test_oracle_knows_every_measure(fact: str) -> None:
    names = {measure.name for measure in measures_of(fact)}
    assert names <= set(oracle.measures(fact))
    assert FACTS[fact].leading in names
    assert "share" in names


@pytest.mark.parametrize("scope", [ALL, TWO], ids=["platform", "projects"])
@pytest.mark.parametrize("span", [MARCH, RAGGED], ids=["whole days", "ragged"])
@pytest.mark.parametrize(
    ("fact", "dimension"),
    [(name, by) for name, fact in FACTS.items() for by in (None, PROJECT, *fact.dimensions)],
    ids=str,
)
async def test_measures_equal_recompute_over_every_dimension(
    analytics: Analytics,
    worlds: dict[str, World],
    scope: Scope,
    span: Range,
    fact: str,
    dimension: Dimension | None,
) -> None:
    by = [dimension] if dimension else []
    asked = question(span, scope, fact=fact, group_by=by, ages=True)
    (answer,) = await run_many(analytics, [asked])
    check(answer, asked, worlds[fact])
    assert answer.total.counts[0] > 250
    assert len(answer.total.ages) == len(FACTS[fact].ages)
    assert None not in answer.total.ages


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("interval", [Interval.HOUR, Interval.DAY, Interval.WEEK, Interval.MONTH])
@pytest.mark.parametrize("scope", [ALL, TWO], ids=["platform", "projects"])
async def test_series_equal_recompute_in_every_zone(
    analytics: Analytics,
    worlds: dict[str, World],
    zone: str,
    interval: Interval,
    scope: Scope,
) -> None:
    for number, (start, end) in enumerate(SPANS):
        ragged = Range(start + timedelta(minutes=7), end - timedelta(minutes=3))
        if interval is Interval.HOUR:  # over the change of New York's clocks
            middle = datetime(start.year, 3 if start.month == 3 else 10, 30, tzinfo=UTC)
            middle = middle if start.month > 3 else datetime(2026, 3, 6, tzinfo=UTC)
            ragged = Range(middle + timedelta(minutes=7), middle + timedelta(days=4))
        for name, fact in FACTS.items():
            by = fact.dimensions[number % len(fact.dimensions)]
            asked = question(
                ragged, scope, fact=name, interval=interval, zone=zone, group_by=[by], ages=True
            )
            (answer,) = await run_many(analytics, [asked])
            check(answer, asked, worlds[name])


@pytest.mark.parametrize("scope", [ALL, TWO], ids=["platform", "projects"])
@pytest.mark.parametrize("histogram", [True, False])
@pytest.mark.parametrize("fact", FACTS)
async def test_minutes_equal_recompute(
    analytics: Analytics, worlds: dict[str, World], scope: Scope, histogram: bool, fact: str
) -> None:
    span = Range(NOW - timedelta(hours=3), NOW - timedelta(minutes=1))
    asked = question(span, scope, fact=fact, interval=Interval.MINUTE, histogram=histogram)
    (answer,) = await run_many(analytics, [asked])
    check(answer, asked, worlds[fact])


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("span", [MARCH, RAGGED], ids=["whole days", "ragged"])
async def test_distributions_equal_recompute(
    analytics: Analytics, worlds: dict[str, World], span: Range, fact: str
) -> None:
    asked = question(span, fact=fact)
    (answer,) = await run_many(analytics, [asked])
    cell = oracle.cell(worlds[fact], span.start, span.end)
    declared = FACTS[fact]
    if isinstance(declared, Entity):
        found = {status.status: status.count for status in by_status(answer.total, fact)}
        known = [int(row.columns["status"]) for row in cell.began]
        assert found == {status: known.count(status) for status in declared.lifecycle.statuses}
    if declared.timing is not None:
        durations = oracle.durations_us(cell)
        for part in distribution(answer.total, fact):
            low_us, high_us = part.from_ms * 1000, (part.to_ms or 1e15) * 1000
            inside = [duration for duration in durations if low_us <= duration < high_us]
            assert part.count == len(inside)


def _filters(fact: str) -> st.SearchStrategy[Filter]:
    ids = st.none() | st.lists(st.sampled_from((0, 1, 2, 3, 77)), min_size=1, max_size=2)
    projects = st.none() | st.lists(st.sampled_from((11, 12, 13, 99)), min_size=1, max_size=2)
    choices = dict.fromkeys(FACTS[fact].dimensions, ids)
    return st.fixed_dictionaries({PROJECT: projects, **choices}).map(Filter.of)


_MOMENTS = st.timedeltas(timedelta(0), NOW - SPANS[1][0]).map(lambda back: NOW - back)
_RANGES = (
    st.tuples(_MOMENTS, _MOMENTS)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: Range(min(pair), max(pair)))
)


def _questions(fact: str) -> st.SearchStrategy[Slice]:
    return st.builds(
        question,
        span=_RANGES,
        scope=st.sampled_from((ALL, TWO, Scope.of((12,)))),
        fact=st.just(fact),
        filter=st.just(Filter()) | _filters(fact),
        interval=st.sampled_from((None, Interval.DAY, Interval.WEEK, Interval.AUTO)),
        zone=st.sampled_from(ZONES),
        group_by=st.lists(
            st.sampled_from((PROJECT, *FACTS[fact].dimensions)), max_size=2, unique=True
        ),
        histogram=st.booleans(),
        distinct=st.booleans(),
        ages=st.booleans(),
    )


@given(asked=st.lists(st.sampled_from(list(FACTS)).flatmap(_questions), min_size=1, max_size=3))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_question_equals_recompute(
    analytics: Analytics, worlds: dict[str, World], asked: list[Slice]
) -> None:
    for each, answer in zip(asked, await run_many(analytics, asked), strict=True):
        check(answer, each, worlds[each.fact])
