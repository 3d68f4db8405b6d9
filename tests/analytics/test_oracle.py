"""Every measure by every dimension equals the oracle's, on a real database."""

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
from analytics.dimensions import Dimension
from analytics.intervals import Interval
from analytics.measures import MEASURES
from analytics.periods import Range
from analytics.run import Analytics
from analytics.slices import Filter, Slice
from tests.analytics import oracle
from tests.analytics.oracle import Deployment
from tests.analytics.questions import ALL, MARCH, RAGGED, TWO, question, run_many
from tests.analytics.world import NOW, SPANS

ZONES = ("UTC", "Asia/Kolkata", "America/New_York", "Australia/Lord_Howe")
BOUND = MEASURES["duration_p50_ms"].error_bound or 0.0


def matching(deployments: Iterable[Deployment], question: Slice) -> list[Deployment]:
    def fits(row: Deployment) -> bool:
        wanted = question.filter
        pairs = (
            (question.scope.project_ids, row.project),
            (wanted.projects, row.project),
            (wanted.environments, row.environment),
            (wanted.networks, row.network),
            (wanted.templates, row.template),
            (wanted.frameworks, row.framework),
        )
        return all(ids is None or value in ids for ids, value in pairs)

    return [row for row in deployments if fits(row)]


def grouped(rows: Iterable[Deployment], question: Slice) -> dict[tuple[int, ...], list[Deployment]]:
    groups: dict[tuple[int, ...], list[Deployment]] = {}
    for row in rows:
        key = tuple(getattr(row, dimension.value) for dimension in question.group_by)
        groups.setdefault(key, []).append(row)
    return groups


def check(answer: Answer, question: Slice, deployments: Iterable[Deployment]) -> None:
    """Compares every measure of every cell, total and grand total with the oracle."""
    span = question.range
    rows = matching(deployments, question)
    inside = [row for row in rows if touches(row, span)]
    groups = grouped(inside, question) if question.group_by else {(): inside}
    assert set(answer.rows) == set(groups)
    check_buckets(answer, question)
    everything = oracle.cell(inside, span.start, span.end, zone=question.zone)
    assert isclose(answer.days, everything.days)
    compare(answer.total, answer.total, everything, question)
    for key, members in groups.items():
        whole = oracle.cell(
            members,
            span.start,
            span.end,
            zone=question.zone,
            all_attempts=everything.all_attempts,
        )
        compare(answer.totals[key], answer.total, whole, question)
        for bucket, found in zip(answer.buckets, answer.rows[key], strict=True):
            cell = oracle.cell(members, bucket.start, bucket.end, zone=question.zone)
            assert isclose(bucket.days, cell.days)
            compare(found, found, cell, question)


def touches(row: Deployment, span: Range) -> bool:
    clocks = (row.created_at, row.finished_at)
    return any(at is not None and span.start <= at < span.end for at in clocks)


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
    for name, measure in MEASURES.items():
        if measure.needs_histogram and not question.histogram:
            continue
        if measure.needs_projects and not question.distinct:
            continue
        value = measure.value(found, days=expected.days, whole=whole)
        wanted = oracle.MEASURES[name](expected)
        if value is None or wanted is None:
            assert value is wanted, name
        elif measure.needs_histogram and found.durations_us is None:
            assert abs(value - wanted) <= BOUND * wanted, name
        else:
            assert isclose(value, wanted, rel_tol=1e-9), name


def test_oracle_knows_every_measure() -> None:
    assert set(oracle.MEASURES) == set(MEASURES)


@pytest.mark.parametrize("scope", [ALL, TWO], ids=["platform", "projects"])
@pytest.mark.parametrize("span", [MARCH, RAGGED], ids=["whole days", "ragged"])
@pytest.mark.parametrize("dimension", [None, *Dimension])
async def test_measures_equal_recompute_over_every_dimension(
    analytics: Analytics,
    deployments: list[Deployment],
    scope: Scope,
    span: Range,
    dimension: Dimension | None,
) -> None:
    asked = question(span, scope, group_by=[dimension] if dimension else [])
    (answer,) = await run_many(analytics, [asked])
    check(answer, asked, deployments)
    assert answer.total.counts[0] > 250


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("interval", [Interval.HOUR, Interval.DAY, Interval.WEEK, Interval.MONTH])
@pytest.mark.parametrize("scope", [ALL, TWO], ids=["platform", "projects"])
async def test_series_equal_recompute_in_every_zone(
    analytics: Analytics,
    deployments: list[Deployment],
    zone: str,
    interval: Interval,
    scope: Scope,
) -> None:
    for start, end in SPANS:
        ragged = Range(start + timedelta(minutes=7), end - timedelta(minutes=3))
        if interval is Interval.HOUR:  # over the change of New York's clocks
            middle = datetime(start.year, 3 if start.month == 3 else 10, 30, tzinfo=UTC)
            middle = middle if start.month > 3 else datetime(2026, 3, 6, tzinfo=UTC)
            ragged = Range(middle + timedelta(minutes=7), middle + timedelta(days=4))
        asked = question(ragged, scope, interval=interval, zone=zone, group_by=[Dimension.NETWORK])
        (answer,) = await run_many(analytics, [asked])
        check(answer, asked, deployments)


@pytest.mark.parametrize("scope", [ALL, TWO], ids=["platform", "projects"])
@pytest.mark.parametrize("histogram", [True, False])
async def test_minutes_equal_recompute(
    analytics: Analytics, deployments: list[Deployment], scope: Scope, histogram: bool
) -> None:
    span = Range(NOW - timedelta(hours=3), NOW - timedelta(minutes=1))
    asked = question(span, scope, interval=Interval.MINUTE, histogram=histogram)
    (answer,) = await run_many(analytics, [asked])
    check(answer, asked, deployments)


_FILTERS = st.builds(
    Filter.of,
    projects=st.none() | st.lists(st.sampled_from((11, 12, 13, 99)), min_size=1, max_size=2),
    environments=st.none() | st.lists(st.sampled_from((0, 2, 3)), min_size=1, max_size=2),
    networks=st.none() | st.lists(st.sampled_from((0, 1, 2, 3)), min_size=1, max_size=2),
    templates=st.none() | st.lists(st.sampled_from((0, 2, 3, 77)), min_size=1, max_size=2),
    frameworks=st.none() | st.lists(st.sampled_from((0, 2)), min_size=1, max_size=2),
)
_MOMENTS = st.timedeltas(timedelta(0), NOW - SPANS[1][0]).map(lambda back: NOW - back)
_RANGES = (
    st.tuples(_MOMENTS, _MOMENTS)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: Range(min(pair), max(pair)))
)
_QUESTIONS = st.builds(
    question,
    span=_RANGES,
    scope=st.sampled_from((ALL, TWO, Scope.of((12,)))),
    filter=st.just(Filter()) | _FILTERS,
    interval=st.sampled_from((None, Interval.DAY, Interval.WEEK, Interval.AUTO)),
    zone=st.sampled_from(ZONES),
    group_by=st.lists(st.sampled_from(Dimension), max_size=2, unique=True),
    histogram=st.booleans(),
    distinct=st.booleans(),
)


@given(asked=st.lists(_QUESTIONS, min_size=1, max_size=3))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_question_equals_recompute(
    analytics: Analytics, deployments: list[Deployment], asked: list[Slice]
) -> None:
    for each, answer in zip(asked, await run_many(analytics, asked), strict=True):
        check(answer, each, deployments)
