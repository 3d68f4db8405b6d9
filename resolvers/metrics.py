"""Metrics: any measures by any dimensions, as a table of columns."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

from analytics.answer import Answer, Source
from analytics.intervals import Interval
from analytics.measures import Measure, MeasureKind, Number
from analytics.periods import Range
from analytics.top import Group, Top, group_of, together, top, values
from resolvers.context import Context
from resolvers.groups import MAX_GROUPS, group_identity, group_names
from resolvers.pages import page_size
from resolvers.population import (
    Breakdown,
    EarlierRange,
    FilterNames,
    Population,
    check_dimension,
    resolve_filter,
)
from storage.dimensions import Dimension
from storage.errors import InvalidInput, LimitExceeded
from storage.facts import FACTS
from storage.facts.fact import Fact

MAX_MEASURES = 30
MAX_CELLS = 100_000
MAX_GROUPED_BY = 3


@dataclass(frozen=True, slots=True)
class TableRequest:
    """The selected content of the table."""

    measures: tuple[Measure, ...]
    group_by: tuple[Dimension, ...] = ()
    interval: Interval | None = None
    earlier: EarlierRange | None = None
    first: int = 50

    @property
    def facts(self) -> list[Fact]:
        """The facts of the measures, that of the first measure first."""
        return list(dict.fromkeys(FACTS[measure.fact] for measure in self.measures))

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
        for dimension in self.group_by:
            check_dimension(self.facts, dimension, path="groupBy")
        page_size(self.first, most=MAX_GROUPS)

    def breakdowns(self, fact: Fact) -> list[Breakdown]:
        """What is read of a fact: the figures, and those to compare with."""
        measures = frozenset(each for each in self.measures if each.fact == fact.name)
        current = Breakdown(measures, self.interval, self.group_by)
        if self.earlier is None:
            return [current]
        return [current, Breakdown(measures, group_by=self.group_by, earlier=self.earlier)]


async def metrics(
    context: Context, names: FilterNames, range: Range, zone: str, wanted: TableRequest
) -> SimpleNamespace:
    """Returns the table; the types in the schema describe its parts."""
    wanted.check()
    facts = wanted.facts
    chosen = await resolve_filter(context, facts, names)
    populations = [Population.of(context, fact, chosen, range, zone) for fact in facts]
    loaded = await asyncio.gather(*(_load(context, each, wanted) for each in populations))
    by_fact = {fact.name: found for fact, found in zip(facts, loaded, strict=True)}
    answers = [found[0] for found in loaded]
    first, population = answers[0], populations[0]
    keys = {key for answer in answers for key in answer.totals}
    best = top(first, wanted.measures[0], wanted.first, keys)
    _check_size(context, len(best.shown) + bool(best.others), len(first.buckets), wanted)
    return SimpleNamespace(
        range=range,
        previous_range=population.compared(wanted.earlier) if wanted.earlier else None,
        time_zone=zone,
        interval=population.slice(wanted.breakdowns(facts[0])[0]).interval,
        buckets=first.buckets,
        groups=await _named(context, best, wanted.group_by),
        group_count=len(best.shown) + len(best.others),
        columns=[_column(measure, best, *by_fact[measure.fact]) for measure in wanted.measures],
        freshness=_combined(answers),
    )


async def _load(context: Context, population: Population, wanted: TableRequest) -> list[Answer]:
    slices = [population.slice(each) for each in wanted.breakdowns(population.fact)]
    found: list[Answer] = await context.loaders.answers.load_many(slices)
    return found


def _check_size(context: Context, groups: int, buckets: int, wanted: TableRequest) -> None:
    """Raises LimitExceeded for too many values, before any is computed."""
    count = groups * buckets * len(wanted.measures)
    if count > MAX_CELLS:
        raise LimitExceeded(
            f"A table holds at most {MAX_CELLS:,} values: ask for fewer groups, measures or "
            "buckets.",
            limit=f"values per table: {MAX_CELLS}",
            path="first",
        )
    context.compute(count)


def _combined(answers: Sequence[Answer]) -> Answer:
    """The freshness of several answers: that of the least fresh and exact."""
    first, sources = answers[0], {answer.source for answer in answers}
    return replace(
        first,
        as_of=min(answer.as_of for answer in answers),
        source=first.source if len(sources) == 1 else Source.MIXED,
        complete=all(answer.complete for answer in answers),
        approximate=any(answer.approximate for answer in answers),
    )


async def _named(
    context: Context, best: Top, group_by: tuple[Dimension, ...]
) -> list[SimpleNamespace]:
    names = {
        dimension: await group_names(context, dimension, {key[index] for key in best.shown})
        for index, dimension in enumerate(group_by)
    }
    groups = [
        SimpleNamespace(
            keys=[
                _key(dimension, id, names[dimension])
                for dimension, id in zip(group_by, key, strict=True)
            ],
            is_others=False,
        )
        for key in best.shown
    ]
    return [*groups, SimpleNamespace(keys=[], is_others=True)] if best.others else groups


def _key(dimension: Dimension, id: int, names: Mapping[int, str]) -> SimpleNamespace:
    kind, name = group_identity(id, names)
    return SimpleNamespace(dimension=dimension, kind=kind, name=name)


def _column(
    measure: Measure, best: Top, now: Answer, before: Answer | None = None
) -> SimpleNamespace:
    """A share is relative to all groups in the same time; ``before`` is of the earlier range."""
    wholes = now.per_bucket() if measure.kind is MeasureKind.SHARE else None
    groups = _groups(now, best)
    return SimpleNamespace(
        measure=measure,
        unit=measure.unit,
        values=[values(measure, group.cells, now.buckets, wholes) for group in groups],
        totals=_totals(measure, groups, now),
        total=measure.value(now.total, days=now.days),
        previous_totals=before and _totals(measure, _groups(before, best), before),
        previous_total=before and measure.value(before.total, days=before.days),
    )


def _groups(answer: Answer, best: Top) -> list[Group]:
    """The cells of the groups shown and, if there are others, of all that are not shown."""
    shown = [group_of(answer, key) for key in best.shown]
    if not best.others:
        return shown
    return [*shown, together(answer, [key for key in answer.totals if key not in best.shown])]


def _totals(measure: Measure, groups: Sequence[Group], of: Answer) -> list[Number | None]:
    return [measure.value(group.total, days=of.days, whole=of.total) for group in groups]
