"""Groups: a population's measures by the values of one dimension, each with its own series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from analytics.answer import Answer
from analytics.intervals import Interval
from analytics.measures import MEASURES, Measure
from analytics.top import Group, group_of, together, top
from resolvers.context import Context
from resolvers.names import NAMES
from resolvers.pages import page_size
from resolvers.population import Breakdown, Population
from resolvers.provisioned import Network, Project, ProvisionedNode, Template
from resolvers.statistics import Statistics, StatisticsRow, load_totals, points, values
from storage.dimensions import NONE, OTHER, PROJECT, Dimension

MAX_GROUPS = 1000


class GroupKind(StrEnum):
    """Whether a group has a value of its dimension."""

    NAMED = "named"
    NONE = "none"
    UNKNOWN = "unknown"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups by one dimension: their measures, their links, and the measures of their series."""

    dimension: Dimension
    measures: frozenset[Measure]
    links: frozenset[str]
    series: Mapping[Interval, frozenset[Measure]]

    @property
    def totals(self) -> Breakdown:
        return Breakdown(self.measures, group_by=(self.dimension,))

    def by_interval(self) -> dict[Interval, Breakdown]:
        """The breakdown of each series."""
        return {
            interval: Breakdown(measures, interval, (self.dimension,))
            for interval, measures in self.series.items()
        }

    def breakdowns(self) -> list[Breakdown]:
        """The breakdowns to load: one for each series, and the totals if no series has them."""
        series = [*self.by_interval().values()]
        return series if any(map(self.totals.is_part_of, series)) else [*series, self.totals]


async def groups(
    context: Context, statistics: Statistics, grouping: Grouping, first: int | None
) -> list[StatisticsRow]:
    """Returns the largest groups, and the others as one group at the end."""
    if first is not None:
        page_size(first, most=MAX_GROUPS)
    population, by_interval = statistics.population, grouping.by_interval()
    answer = await load_totals(context, population, grouping.totals, by_interval.values())
    series = {
        interval: await context.loaders.answers.load(population.slice(breakdown))
        for interval, breakdown in by_interval.items()
    }
    fact = population.fact
    leading = MEASURES[fact.name, fact.leading]
    best = top(answer, leading, MAX_GROUPS if first is None else first)
    _count(context, grouping, series, len(best.shown) + bool(best.others))
    ids = [key[0] for key in best.shown]
    names = await group_names(context, grouping.dimension, ids)
    nodes = await _linked_nodes(context, population, grouping, names)
    make_row = _row_maker(grouping, answer, series)
    rows = [
        make_row(*group_identity(id, names), nodes.get(id), partial(group_of, key=(id,)))
        for id in ids
    ]
    if best.others:
        rows.append(make_row(GroupKind.OTHERS, None, None, partial(together, keys=best.others)))
    return rows


def _count(
    context: Context, grouping: Grouping, series: Mapping[Interval, Answer], groups: int
) -> None:
    """Counts all values before they are computed; raises LimitExceeded for too many."""
    values = len(grouping.measures) + sum(
        len(answer.buckets) * len(grouping.series[interval]) for interval, answer in series.items()
    )
    context.compute(groups * values)


def _row_maker(
    grouping: Grouping, answer: Answer, series: Mapping[Interval, Answer]
) -> Callable[..., StatisticsRow]:
    # Computed once for all groups: a share of a bucket is relative to all groups.
    wholes = {interval: each.per_bucket() for interval, each in series.items()}

    def make_row(
        kind: GroupKind, name: str | None, node: Any, pick: Callable[[Answer], Group]
    ) -> StatisticsRow:
        linked = dict.fromkeys(each.name for each in LINKED) | {grouping.dimension.name: node}
        return StatisticsRow(
            kind=kind,
            name=name,
            series={
                interval: points(
                    each, grouping.series[interval], pick(each).cells, wholes[interval]
                )
                for interval, each in series.items()
            },
            **linked,
            **values(grouping.measures, pick(answer).total, answer.days, answer.total),
        )

    return make_row


_RESERVED = {NONE: GroupKind.NONE, OTHER: GroupKind.UNKNOWN}


async def group_names(
    context: Context, dimension: Dimension, ids: Iterable[int]
) -> Mapping[int, str]:
    """Returns the names of groups by id, without those of reserved ids."""
    # Project ids start at 1 and have no reserved numbers.
    named = ids if dimension is PROJECT else [id for id in ids if id not in _RESERVED]
    return await context.services.dictionaries.names(dimension, named)


def group_identity(id: int, names: Mapping[int, str]) -> tuple[GroupKind, str | None]:
    """Returns the kind and the name of the group with this id."""
    if id in names:
        return GroupKind.NAMED, names[id]
    return _RESERVED.get(id, GroupKind.NAMED), None


# The types of the objects behind dimensions that admins provision.
_PROVISIONED: dict[Dimension, type[ProvisionedNode]] = {
    kind.dimension: kind for kind in (Project, Network, Template)
}
LINKED = (*_PROVISIONED, *NAMES)


async def _linked_nodes(
    context: Context, population: Population, grouping: Grouping, names: Mapping[int, str]
) -> Mapping[int, Any]:
    """Returns the objects behind the named groups by id, if the query selects them."""
    dimension = grouping.dimension
    if dimension.name not in grouping.links or not names:
        return {}
    if dimension in NAMES:
        projects, kind = population.slice(grouping.totals).project_ids, NAMES[dimension]
        if projects is None or len(projects) != 1:
            return {}  # several projects may have the name
        return {id: kind.named(projects[0], id, name) for id, name in names.items()}
    provisioned = _PROVISIONED[dimension]
    rows = await context.loaders.provisioned(dimension).load_many(list(names))
    return {
        key: provisioned.of(row) for key, row in zip(names, rows, strict=True) if row is not None
    }
