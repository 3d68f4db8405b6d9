"""Statistics: a population's measures in total, as series, by group and for an earlier range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

from analytics.answer import Answer
from analytics.components import Components
from analytics.dimensions import NONE, OTHER, Dimension
from analytics.intervals import edges
from analytics.measures import MEASURES, Evaluator
from analytics.percentiles import percentile_ms
from analytics.slices import Slice
from analytics.top import top
from resolvers.context import Context
from resolvers.networks import Network
from resolvers.pages import page_size
from resolvers.population import Breakdown, Population
from resolvers.projects import Project
from resolvers.templates import Template
from storage.errors import GatewayError

MAX_GROUPS = 1000


class GroupKind(StrEnum):
    """Whether a group has a value of its dimension."""

    NAMED = "named"
    NONE = "none"
    UNKNOWN = "unknown"
    OTHERS = "others"


class StatisticsRow(SimpleNamespace):
    """The selected measures by name, and the other fields of a point, group or earlier range."""


class Statistics(StatisticsRow):
    """The totals of a population."""

    population: Population


class BreakdownAnswer(NamedTuple):
    """A breakdown's own answer, and the answer that its shares are relative to."""

    own: Answer
    whole: Answer


async def load_breakdown(
    context: Context, population: Population, breakdown: Breakdown, question: Slice | None = None
) -> BreakdownAnswer:
    """Loads a breakdown; its own answer is that of `question`, if another slice has it too."""
    answers = context.loaders.answers
    _expect_whole(context, population, breakdown)
    own = await answers.load(question or population.slice(breakdown))
    whole = population.whole_slice(breakdown)
    return BreakdownAnswer(own, own if whole is None else await answers.load(whole))


def _expect_whole(context: Context, population: Population, breakdown: Breakdown) -> None:
    whole = population.whole_slice(breakdown)
    if whole is not None:
        context.loaders.answers.expect(whole)


async def statistics(
    context: Context, population: Population, breakdowns: Iterable[Breakdown]
) -> Statistics:
    """Loads the totals, which are the first breakdown, together with the other breakdowns."""
    first, *others = breakdowns
    slices: list[tuple[Breakdown, Slice]] = []
    for breakdown in others:
        with suppress(GatewayError):  # the breakdown's own field raises it again
            slices.append((breakdown, _slice(context, population, breakdown)))
    for breakdown, question in slices:
        context.loaders.answers.expect(question)
        _expect_whole(context, population, breakdown)
    question = _slice_with_totals(population, first, slices)
    try:
        answer, whole = await load_breakdown(context, population, first, question)
    except GatewayError:
        answer, whole = await load_breakdown(context, population, first)
    return Statistics(
        population=population,
        range=population.range,
        time_zone=population.zone,
        freshness=answer,
        **_values(first, answer, answer.total, whole.total),
    )


def _slice(context: Context, population: Population, breakdown: Breakdown) -> Slice:
    question = population.slice(breakdown)
    if question.interval is not None:
        buckets = len(edges(question.range, question.interval, question.zone)) - 1
        context.compute(buckets * len(breakdown.measures))
    return question


def _slice_with_totals(
    population: Population, first: Breakdown, others: Iterable[tuple[Breakdown, Slice]]
) -> Slice:
    """Returns a slice whose answer holds the totals: another breakdown's, to save a statement.

    Not for percentiles: those of a series may be less exact than those of the whole range.
    """
    own = population.slice(first)
    if own.histogram:
        return own
    for breakdown, other in others:
        if breakdown.comparison is None and other.distinct >= own.distinct:
            return other
    return own


def _values(
    breakdown: Breakdown,
    answer: Answer,
    cell: Components,
    whole: Components,
    days: float | None = None,
) -> dict[str, Any]:
    """Returns the breakdown's measures of a cell by name; by default it spans the range."""
    span = answer.days if days is None else days
    return {name: evaluate(cell, span, whole) for name, evaluate in _evaluators(breakdown.measures)}


@lru_cache(maxsize=1024)
def _evaluators(measures: frozenset[str]) -> tuple[tuple[str, Evaluator], ...]:
    return tuple((name, MEASURES[name].evaluate) for name in measures)


async def series(
    context: Context, statistics: Statistics, breakdown: Breakdown
) -> list[StatisticsRow]:
    """Returns a point for every bucket of the range, empty ones included."""
    context.compute(0)  # raises if the document selects too many values; these are counted already
    answer = await context.loaders.answers.load(statistics.population.slice(breakdown))
    return [
        StatisticsRow(
            start=bucket.start,
            end=bucket.end,
            open=bucket.open,
            **_values(breakdown, answer, cell, cell, bucket.days),
        )
        for bucket, cell in zip(answer.buckets, answer.per_bucket(), strict=True)
    ]


async def previous(context: Context, statistics: Statistics, breakdown: Breakdown) -> StatisticsRow:
    """Returns the measures of the earlier range to compare with."""
    assert breakdown.comparison is not None
    answer, whole = await load_breakdown(context, statistics.population, breakdown)
    return StatisticsRow(
        range=statistics.population.compared(breakdown.comparison),
        freshness=answer,
        **_values(breakdown, answer, answer.total, whole.total),
    )


async def percentile(
    context: Context, statistics: Statistics, breakdown: Breakdown, fraction: float
) -> float | None:
    """Returns a percentile of the durations, in milliseconds."""
    answer = await context.loaders.answers.load(statistics.population.slice(breakdown))
    return percentile_ms(answer.total, fraction, statistics.population.fact)


async def groups(
    context: Context,
    statistics: Statistics,
    breakdown: Breakdown,
    first: int | None,
    links: frozenset[str],
) -> list[StatisticsRow]:
    """Returns the largest groups by attempts, and the others as one group at the end."""
    if first is not None:
        page_size(first, most=MAX_GROUPS)
    answer, whole = await load_breakdown(context, statistics.population, breakdown)
    (dimension,) = breakdown.group_by
    best = top(answer, MEASURES["attempts"], MAX_GROUPS if first is None else first)
    context.compute(len(best.shown) * len(breakdown.measures))
    ids = [group.key[0] for group in best.shown]
    names = await context.services.dictionaries.names(dimension, ids)
    nodes = await _linked_nodes(context, dimension, ids, links)

    def row(kind: GroupKind, name: str | None, node: Any, cell: Components) -> StatisticsRow:
        linked = {"project": None, "network": None, "template": None}
        if dimension.value in linked:
            linked[dimension.value] = node
        values = _values(breakdown, answer, cell, whole.total)
        return StatisticsRow(kind=kind, name=name, **linked, **values)

    rows = [
        row(*group_identity(dimension, id, names), nodes.get(id), group.total)
        for id, group in zip(ids, best.shown, strict=True)
    ]
    if best.others is not None:
        rows.append(row(GroupKind.OTHERS, None, None, best.others.total))
    return rows


_RESERVED = {NONE: GroupKind.NONE, OTHER: GroupKind.UNKNOWN}


def group_identity(
    dimension: Dimension, id: int, names: Mapping[int, str]
) -> tuple[GroupKind, str | None]:
    """Returns the kind and the name of the group with this id of the dimension."""
    # Project ids start at 1 and have no reserved numbers.
    kind = GroupKind.NAMED if dimension is Dimension.PROJECT else _RESERVED.get(id, GroupKind.NAMED)
    return kind, names.get(id) if kind is GroupKind.NAMED else None


async def _linked_nodes(
    context: Context, dimension: Dimension, ids: list[int], links: frozenset[str]
) -> dict[int, Any]:
    """Returns the groups' projects, networks or templates by id, if the query selects them."""
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
