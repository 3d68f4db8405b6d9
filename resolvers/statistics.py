"""Statistics: the measures of a subject as totals, series, groups and of an earlier range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from analytics.answer import Answer
from analytics.components import Components
from analytics.dimensions import NONE, OTHER, Dimension
from analytics.intervals import edges
from analytics.measures import MEASURES, Evaluator
from analytics.percentiles import percentile_ms
from analytics.periods import Range
from analytics.slices import Slice
from analytics.top import top
from resolvers.context import Context
from resolvers.networks import Network
from resolvers.pages import page_size
from resolvers.projects import Project
from resolvers.subjects import Breakdown, Subject
from resolvers.templates import Template
from storage.errors import GatewayError

MAX_GROUPS = 1000


class GroupKind(StrEnum):
    """What the rows of a group have in common."""

    NAMED = "named"
    NONE = "none"
    UNKNOWN = "unknown"
    OTHERS = "others"


class StatisticsRow(SimpleNamespace):
    """A row: the measures that were asked for under their names, and what else belongs to it."""


class Statistics(StatisticsRow):
    """The totals of a subject, and what the breakdowns that follow need."""

    subject: Subject
    answer: Answer

    @property
    def range(self) -> Range:
        return self.subject.range

    @property
    def time_zone(self) -> str:
        return self.subject.zone

    @property
    def freshness(self) -> Answer:
        return self.answer


async def statistics(
    context: Context, subject: Subject, breakdowns: Iterable[Breakdown]
) -> Statistics:
    """Loads the totals, which are the first breakdown, together with the other breakdowns."""
    answers = context.loaders.answers
    first, *others = breakdowns
    asked: list[tuple[Breakdown, Slice]] = []
    for breakdown in others:
        with suppress(GatewayError):  # the breakdown's own field raises it again
            asked.append((breakdown, _slice(context, subject, breakdown)))
    for breakdown, each in asked:
        answers.expect(each)
        _expect_whole(context, subject, breakdown)
    _expect_whole(context, subject, first)
    try:
        answer = await answers.load(_slice_with_totals(subject, first, asked))
    except GatewayError:
        answer = await answers.load(subject.slice(first))
    whole = await whole_of(context, subject, first, answer)
    return Statistics(subject=subject, answer=answer, **values(first, answer, whole=whole.total))


def _expect_whole(context: Context, subject: Subject, breakdown: Breakdown) -> None:
    whole = subject.whole_slice(breakdown)
    if whole is not None:
        context.loaders.answers.expect(whole)


async def whole_of(context: Context, subject: Subject, breakdown: Breakdown, own: Answer) -> Answer:
    """Returns the answer that shares are relative to; `own` is the breakdown's answer."""
    whole = subject.whole_slice(breakdown)
    return own if whole is None else await context.loaders.answers.load(whole)


def _slice(context: Context, subject: Subject, breakdown: Breakdown) -> Slice:
    asked = subject.slice(breakdown)
    if asked.interval is not None:
        buckets = len(edges(asked.range, asked.interval, asked.zone)) - 1
        context.compute(buckets * len(breakdown.measures))
    return asked


def _slice_with_totals(
    subject: Subject, first: Breakdown, others: Iterable[tuple[Breakdown, Slice]]
) -> Slice:
    """Returns a slice whose answer holds the totals: another breakdown's, to save a statement.

    Percentiles are left out: those of a series may be less exact than those of the whole range.
    """
    own = subject.slice(first)
    if own.histogram:
        return own
    for breakdown, other in others:
        if breakdown.comparison is None and other.distinct >= own.distinct:
            return other
    return own


def values(
    breakdown: Breakdown,
    answer: Answer,
    cell: Components | None = None,
    *,
    days: float | None = None,
    whole: Components | None = None,
) -> dict[str, Any]:
    """The breakdown's measures of a cell, or of the whole answer."""
    of = answer.total if cell is None else cell
    span = answer.days if days is None else days
    base = whole or of
    return {name: evaluate(of, span, base) for name, evaluate in _evaluators(breakdown.measures)}


@lru_cache(maxsize=1024)
def _evaluators(measures: frozenset[str]) -> tuple[tuple[str, Evaluator], ...]:
    return tuple((name, MEASURES[name].evaluate) for name in measures)


async def series(
    context: Context, statistics: Statistics, breakdown: Breakdown
) -> list[StatisticsRow]:
    """A point for every bucket of the range, empty ones included."""
    context.compute(0)  # its values are noted already, with all others of the document
    answer = await context.loaders.answers.load(statistics.subject.slice(breakdown))
    return [
        StatisticsRow(
            start=bucket.start,
            end=bucket.end,
            open=bucket.open,
            **values(breakdown, answer, cell, days=bucket.days),
        )
        for bucket, cell in zip(answer.buckets, answer.per_bucket(), strict=True)
    ]


async def previous(context: Context, statistics: Statistics, breakdown: Breakdown) -> StatisticsRow:
    """The same measures over the range it is compared with."""
    assert breakdown.comparison is not None
    answer = await context.loaders.answers.load(statistics.subject.slice(breakdown))
    whole = await whole_of(context, statistics.subject, breakdown, answer)
    return StatisticsRow(
        range=statistics.subject.compared(breakdown.comparison),
        freshness=answer,
        **values(breakdown, answer, whole=whole.total),
    )


async def percentile(
    context: Context, statistics: Statistics, breakdown: Breakdown, fraction: float
) -> float | None:
    answer = await context.loaders.answers.load(statistics.subject.slice(breakdown))
    return percentile_ms(answer.total, fraction, statistics.subject.fact)


async def groups(
    context: Context,
    statistics: Statistics,
    breakdown: Breakdown,
    first: int | None,
    links: frozenset[str],
) -> list[StatisticsRow]:
    """The largest groups by attempts; what lies beyond `first` is one group at the end."""
    if first is not None:
        page_size(first, most=MAX_GROUPS)
    answer = await context.loaders.answers.load(statistics.subject.slice(breakdown))
    whole = await whole_of(context, statistics.subject, breakdown, answer)
    (dimension,) = breakdown.group_by
    best = top(answer, MEASURES["attempts"], MAX_GROUPS if first is None else first)
    context.compute(len(best.shown) * len(breakdown.measures))
    ids = [group.key[0] for group in best.shown]
    names = await context.services.dictionaries.names(dimension, ids)
    linked = await _links(context, dimension, ids, links)
    rows = [
        StatisticsRow(
            **_identity(group.key[0], names, dimension),
            **_link(dimension, linked.get(group.key[0])),
            **values(breakdown, answer, group.total, whole=whole.total),
        )
        for group in best.shown
    ]
    if best.others is not None:
        figures = values(breakdown, answer, best.others.total, whole=whole.total)
        rows.append(
            StatisticsRow(kind=GroupKind.OTHERS, name=None, **_link(dimension, None), **figures)
        )
    return rows


RESERVED = {NONE: GroupKind.NONE, OTHER: GroupKind.UNKNOWN}


def _identity(key: int, names: Mapping[int, str], dimension: Dimension) -> dict[str, Any]:
    # Projects have no reserved ids: their numbers start at 1.
    kind = GroupKind.NAMED if dimension is Dimension.PROJECT else kind_of(key)
    return {"kind": kind, "name": names.get(key) if kind is GroupKind.NAMED else None}


def kind_of(key: int) -> GroupKind:
    return RESERVED.get(key, GroupKind.NAMED)


def _link(dimension: Dimension, node: Any) -> dict[str, Any]:
    empty = {"project": None, "network": None, "template": None}
    return empty | {dimension.value: node} if dimension.value in empty else empty


async def _links(
    context: Context, dimension: Dimension, ids: list[int], links: frozenset[str]
) -> dict[int, Any]:
    """The entities of the groups, where the query selects them."""
    if dimension.value not in links or not ids:
        return {}
    loaders = context.loaders
    loader, convert = {
        Dimension.PROJECT: (loaders.project_by_id, Project.of),
        Dimension.NETWORK: (loaders.network_by_id, Network.of),
        Dimension.TEMPLATE: (loaders.template_by_id, Template.of),
    }[dimension]
    rows = await loader.load_many(ids)
    return {key: convert(row) for key, row in zip(ids, rows, strict=True) if row is not None}
