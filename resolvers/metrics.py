"""Metrics: any measures by any dimensions, as a table of columns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from analytics.answer import Answer, Bucket, Key
from analytics.components import Components
from analytics.dimensions import Dimension
from analytics.intervals import Interval
from analytics.measures import MEASURES, Measure, MeasureKind, Number, Unit
from analytics.periods import Comparison, Range
from analytics.top import Group, top
from resolvers.context import Context
from resolvers.pages import page_size
from resolvers.population import Breakdown, Population
from resolvers.statistics import (
    MAX_GROUPS,
    BreakdownAnswer,
    GroupKind,
    group_identity,
    load_breakdown,
)
from storage.errors import InvalidInput, LimitExceeded

MAX_MEASURES = 30
MAX_CELLS = 100_000
MAX_GROUPED_BY = 3


@dataclass(frozen=True, slots=True)
class MetricKey:
    """A group's value of one dimension."""

    dimension: Dimension
    kind: GroupKind
    name: str | None


@dataclass(frozen=True, slots=True)
class MetricGroup:
    """The keys of a row in each column."""

    keys: list[MetricKey]
    is_others: bool


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """A measure: the values and the total of each group, and the total of all."""

    measure: str
    unit: Unit
    values: list[list[Number | None]]
    totals: list[Number | None]
    total: Number | None
    previous_totals: list[Number | None] | None
    previous_total: Number | None


@dataclass(frozen=True, slots=True)
class MetricTable:
    """Buckets across, groups down, a column for each measure."""

    range: Range
    previous_range: Range | None
    time_zone: str
    interval: Interval | None
    buckets: tuple[Bucket, ...]
    groups: list[MetricGroup]
    group_count: int
    columns: list[MetricColumn]
    freshness: Answer


@dataclass(frozen=True, slots=True)
class TableRequest:
    """The selected content of the table."""

    measures: tuple[str, ...]
    group_by: tuple[Dimension, ...] = ()
    interval: Interval | None = None
    comparison: Comparison | None = None
    first: int = 50

    def check(self) -> None:
        if not self.measures:
            raise InvalidInput("No measure is named: name at least one.", path="measures")
        if len(self.measures) > MAX_MEASURES:
            raise LimitExceeded(
                f"A table holds at most {MAX_MEASURES} measures, not {len(self.measures)}.",
                limit=f"measures per table: {MAX_MEASURES}",
                path="measures",
            )
        if len(set(self.group_by)) != len(self.group_by) or len(self.group_by) > MAX_GROUPED_BY:
            raise InvalidInput(
                f"Group by at most {MAX_GROUPED_BY} dimensions, each once.", path="groupBy"
            )
        page_size(self.first, most=MAX_GROUPS)


async def metrics(context: Context, population: Population, wanted: TableRequest) -> MetricTable:
    wanted.check()
    names = frozenset(wanted.measures)
    breakdown = Breakdown(names, wanted.interval, wanted.group_by)
    loading = [load_breakdown(context, population, breakdown)]
    if wanted.comparison is not None:
        earlier = Breakdown(names, group_by=wanted.group_by, comparison=wanted.comparison)
        loading.append(load_breakdown(context, population, earlier))
    current, *before = await asyncio.gather(*loading)
    answer = current.own
    _check_size(context, answer, wanted)
    groups, count = _groups(answer, wanted)
    columns = [
        _column(MEASURES[name], groups, current, before[0] if before else None)
        for name in wanted.measures
    ]
    return MetricTable(
        range=population.range,
        previous_range=population.compared(wanted.comparison) if wanted.comparison else None,
        time_zone=population.zone,
        interval=population.slice(breakdown).interval,
        buckets=answer.buckets,
        groups=await _named(context, groups, wanted.group_by),
        group_count=count,
        columns=columns,
        freshness=answer,
    )


def _check_size(context: Context, answer: Answer, wanted: TableRequest) -> None:
    """Raises LimitExceeded for too many values, before any is computed."""
    groups = min(len(answer.totals), wanted.first + 1)
    values = groups * len(answer.buckets) * len(wanted.measures)
    if values > MAX_CELLS:
        raise LimitExceeded(
            f"A table holds at most {MAX_CELLS:,} values: ask for fewer groups, measures or "
            "buckets.",
            limit=f"values per table: {MAX_CELLS}",
            path="first",
        )
    context.compute(values)


OTHERS: Key = ()


def _groups(answer: Answer, wanted: TableRequest) -> tuple[list[Group], int]:
    """Returns the largest groups by the first measure, the others as one, and the number of all."""
    if not wanted.group_by:
        return [Group((), answer.per_bucket(), answer.total)], 1
    best = top(answer, MEASURES[wanted.measures[0]], wanted.first)
    groups = list(best.shown)
    if best.others is not None:
        groups.append(best.others)
    return groups, len(best.shown) + best.others_count


async def _named(
    context: Context, groups: Sequence[Group], group_by: tuple[Dimension, ...]
) -> list[MetricGroup]:
    names = {
        dimension: await context.services.dictionaries.names(
            dimension, {group.key[index] for group in groups if group.key != OTHERS}
        )
        for index, dimension in enumerate(group_by)
    }
    return [
        MetricGroup(
            keys=[
                MetricKey(dimension, *group_identity(dimension, id, names[dimension]))
                for dimension, id in zip(group_by, group.key, strict=False)
            ],
            is_others=bool(group_by) and group.key == OTHERS,
        )
        for group in groups
    ]


def _column(
    measure: Measure,
    groups: Sequence[Group],
    current: BreakdownAnswer,
    before: BreakdownAnswer | None,
) -> MetricColumn:
    def total(cell: Components, of: BreakdownAnswer) -> Number | None:
        return measure.value(cell, days=of.own.days, whole=of.whole.total)

    return MetricColumn(
        measure=measure.name,
        unit=measure.unit,
        values=_values(measure, groups, current),
        totals=[total(group.total, current) for group in groups],
        total=total(current.own.total, current),
        previous_totals=None if before is None else _previous_totals(measure, groups, before),
        previous_total=None if before is None else total(before.own.total, before),
    )


def _values(
    measure: Measure, groups: Sequence[Group], of: BreakdownAnswer
) -> list[list[Number | None]]:
    buckets = of.own.buckets
    shared = measure.kind is MeasureKind.SHARE
    wholes = of.whole.per_bucket() if shared else [None] * len(buckets)
    return [
        [
            measure.value(cell, days=bucket.days, whole=whole)
            for bucket, cell, whole in zip(buckets, group.cells, wholes, strict=True)
        ]
        for group in groups
    ]


def _previous_totals(
    measure: Measure, groups: Sequence[Group], before: BreakdownAnswer
) -> list[Number | None]:
    """Totals of the same groups in the earlier range; the others were other groups then."""
    own, whole = before.own, before.whole.total
    return [
        None
        if group.key == OTHERS and OTHERS not in own.totals
        else measure.value(own.totals.get(group.key, own.zero), days=own.days, whole=whole)
        for group in groups
    ]
