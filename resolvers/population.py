"""Populations: the deployments to count, and the slice of each breakdown of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from access.scopes import Scope
from analytics.dimensions import Dimension
from analytics.intervals import Interval
from analytics.measures import MEASURES
from analytics.periods import Comparison, Range, previous
from analytics.slices import Filter, Slice
from resolvers.context import Context
from storage.errors import InvalidInput, LimitExceeded, NotFound
from storage.facts.deployments import DEPLOYMENTS
from storage.queries.environments import TENANTS_OWN, find_used

MAX_NAMES = 100
EVERYTHING = Filter()

_WITH_HISTOGRAM = {name for name, measure in MEASURES.items() if measure.needs_histogram}
_WITH_PROJECTS = {name for name, measure in MEASURES.items() if measure.needs_projects}


# Names by `Dimension.filter`: a missing key does not filter, an empty tuple matches nothing.
FilterNames = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Measures in total, by bucket, by group, or in an earlier range to compare with."""

    measures: frozenset[str]
    interval: Interval | None = None
    group_by: tuple[Dimension, ...] = ()
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Population:
    """The deployments to count. All shares are relative to the deployments of `whole`."""

    scope: Scope
    filter: Filter
    range: Range
    zone: str
    whole: Filter = EVERYTHING
    fact: str = DEPLOYMENTS.name

    def slice(self, breakdown: Breakdown) -> Slice:
        """Returns the slice that answers a breakdown."""
        return Slice(
            fact=self.fact,
            scope=self.scope,
            filter=self.filter,
            range=self.compared(breakdown.comparison) if breakdown.comparison else self.range,
            interval=breakdown.interval,
            zone=self.zone,
            group_by=breakdown.group_by,
            histogram=not breakdown.measures.isdisjoint(_WITH_HISTOGRAM),
            distinct=not breakdown.measures.isdisjoint(_WITH_PROJECTS),
        )

    def whole_slice(self, breakdown: Breakdown) -> Slice | None:
        """Returns the slice that shares are relative to; None if it is the breakdown's own."""
        if "share" not in breakdown.measures or self.filter == self.whole:
            return None
        whole = Breakdown(frozenset(), breakdown.interval, comparison=breakdown.comparison)
        return replace(self, filter=self.whole).slice(whole)

    def compared(self, comparison: Comparison) -> Range:
        return previous(self.range, comparison, self.zone)


async def named_population(
    context: Context, names: FilterNames, range: Range, zone: str
) -> Population:
    """Returns the population of a client's filter, inside the viewer's scope."""
    return Population(context.scope, await _filter(context, names), range, zone)


async def _filter(context: Context, names: FilterNames) -> Filter:
    ids: dict[str, tuple[int, ...]] = {}
    for dimension in Dimension:
        given = names.get(dimension.filter)
        if given is None:
            continue
        if len(given) > MAX_NAMES:
            raise LimitExceeded(
                f"A filter names at most {MAX_NAMES} {dimension.filter}, not {len(given)}.",
                limit=f"names per filter: {MAX_NAMES}",
                path=dimension.filter,
            )
        found = await _ids(context, dimension, given)
        _refuse_unknown(dimension, given, found)
        ids[dimension.filter] = tuple(found.values())
    return Filter.of(**ids)


async def _ids(context: Context, dimension: Dimension, names: Sequence[str]) -> Mapping[str, int]:
    """Returns ids by name; projects and names that belong to tenants are found in scope only."""
    if dimension in TENANTS_OWN:
        return await find_used(context.services.database, context.scope, dimension, names)
    if dimension is Dimension.PROJECT:
        return await context.project_ids(names)
    return await context.services.dictionaries.ids(dimension, names)


def _refuse_unknown(dimension: Dimension, names: Sequence[str], found: Mapping[str, int]) -> None:
    """Raises an error for a misspelt name, instead of an empty answer.

    Not for environments and frameworks: an error would reveal whether another tenant uses the name.
    """
    if dimension in TENANTS_OWN:
        return
    kind = NotFound if dimension is Dimension.PROJECT else InvalidInput
    for name in names:
        if name not in found:
            raise kind(f"There is no {dimension.value} {name!r}.", path=dimension.filter)
