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
from resolvers.subjects import Part, Subject
from resolvers.templates import Template
from storage.errors import GatewayError

MAX_GROUPS = 1000


class GroupKind(StrEnum):
    """What the rows of a group have in common."""

    NAMED = "named"
    NONE = "none"
    UNKNOWN = "unknown"
    OTHERS = "others"


class Figures(SimpleNamespace):
    """A row: the measures that were asked for under their names, and what else belongs to it."""


class Statistics(Figures):
    """The totals of a subject, and what the parts that follow need."""

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


async def statistics(context: Context, subject: Subject, parts: Iterable[Part]) -> Statistics:
    """The totals, which are the first part. The others are loaded with them and wait."""
    answers = context.loaders.answers
    first, *others = parts
    asked: list[tuple[Part, Slice]] = []
    for part in others:
        with suppress(GatewayError):  # a part that cannot be answered is refused by its own field
            asked.append((part, _slice(context, subject, part)))
    for part, each in asked:
        answers.expect(each)
        _expect_whole(context, subject, part)
    _expect_whole(context, subject, first)
    try:
        answer = await answers.load(_slice_with_totals(subject, first, asked))
    except GatewayError:
        answer = await answers.load(subject.slice(first))
    whole = await whole_of(context, subject, first, answer)
    return Statistics(subject=subject, answer=answer, **values(first, answer, whole=whole.total))


def _expect_whole(context: Context, subject: Subject, part: Part) -> None:
    whole = subject.whole_slice(part)
    if whole is not None:
        context.loaders.answers.expect(whole)


async def whole_of(context: Context, subject: Subject, part: Part, own: Answer) -> Answer:
    """The answer that holds what the shares in a part are of; `own` is the part's answer."""
    whole = subject.whole_slice(part)
    return own if whole is None else await context.loaders.answers.load(whole)


def _slice(context: Context, subject: Subject, part: Part) -> Slice:
    asked = subject.slice(part)
    if asked.interval is not None:
        buckets = len(edges(asked.range, asked.interval, asked.zone)) - 1
        context.compute(buckets * len(part.measures))
    return asked


def _slice_with_totals(
    subject: Subject, first: Part, others: Iterable[tuple[Part, Slice]]
) -> Slice:
    """A slice whose answer holds the totals: that of another part, if one does, saves a statement.

    Percentiles are left out: those of a series may be less exact than those of the whole range.
    """
    own = subject.slice(first)
    if own.histogram:
        return own
    for part, other in others:
        if part.comparison is None and other.distinct >= own.distinct:
            return other
    return own


def values(
    part: Part,
    answer: Answer,
    cell: Components | None = None,
    *,
    days: float | None = None,
    whole: Components | None = None,
) -> dict[str, Any]:
    """The part's measures of a cell, or of the whole answer."""
    of = answer.total if cell is None else cell
    span = answer.days if days is None else days
    base = whole or of
    return {name: evaluate(of, span, base) for name, evaluate in _evaluators(part.measures)}


@lru_cache(maxsize=1024)
def _evaluators(measures: frozenset[str]) -> tuple[tuple[str, Evaluator], ...]:
    return tuple((name, MEASURES[name].evaluate) for name in measures)


async def series(context: Context, statistics: Statistics, part: Part) -> list[Figures]:
    """A point for every bucket of the range, empty ones included."""
    context.compute(0)  # its values are noted already, with all others of the document
    answer = await context.loaders.answers.load(statistics.subject.slice(part))
    return [
        Figures(
            start=bucket.start,
            end=bucket.end,
            open=bucket.open,
            **values(part, answer, cell, days=bucket.days),
        )
        for bucket, cell in zip(answer.buckets, answer.per_bucket(), strict=True)
    ]


async def previous(context: Context, statistics: Statistics, part: Part) -> Figures:
    """The same measures over the range it is compared with."""
    assert part.comparison is not None
    answer = await context.loaders.answers.load(statistics.subject.slice(part))
    whole = await whole_of(context, statistics.subject, part, answer)
    return Figures(
        range=statistics.subject.compared(part.comparison),
        freshness=answer,
        **values(part, answer, whole=whole.total),
    )


async def percentile(
    context: Context, statistics: Statistics, part: Part, fraction: float
) -> float | None:
    answer = await context.loaders.answers.load(statistics.subject.slice(part))
    return percentile_ms(answer.total, fraction, statistics.subject.fact)


async def groups(
    context: Context, statistics: Statistics, part: Part, first: int | None, links: frozenset[str]
) -> list[Figures]:
    """The largest groups by attempts; what lies beyond `first` is one group at the end."""
    if first is not None:
        page_size(first, most=MAX_GROUPS)
    answer = await context.loaders.answers.load(statistics.subject.slice(part))
    whole = await whole_of(context, statistics.subject, part, answer)
    (dimension,) = part.group_by
    best = top(answer, MEASURES["attempts"], MAX_GROUPS if first is None else first)
    context.compute(len(best.shown) * len(part.measures))
    ids = [group.key[0] for group in best.shown]
    names = await context.services.dictionaries.names(dimension, ids)
    linked = await _links(context, dimension, ids, links)
    rows = [
        Figures(
            **_identity(group.key[0], names, dimension),
            **_link(dimension, linked.get(group.key[0])),
            **values(part, answer, group.total, whole=whole.total),
        )
        for group in best.shown
    ]
    if best.others is not None:
        figures = values(part, answer, best.others.total, whole=whole.total)
        rows.append(Figures(kind=GroupKind.OTHERS, name=None, **_link(dimension, None), **figures))
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
