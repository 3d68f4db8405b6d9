"""Populations: the rows of a fact to count, and the slice of each breakdown of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from access.scopes import Scope
from analytics.intervals import Interval, chosen
from analytics.measures import Measure
from analytics.periods import Comparison, Range, previous
from analytics.slices import Filter, Slice
from resolvers.context import Context
from storage.dimensions import PROJECT, Dimension
from storage.errors import InvalidInput, LimitExceeded, NotFound
from storage.facts.fact import Fact, Floors
from storage.queries.names import find_used, find_with_labels, of_similar_length

MAX_NAMES = 100
# As many as two projects may have.
MAX_SETS = 4_000
# Longer unknown names are cut in messages and comparisons.
MAX_NAME_LENGTH = 100


class WithLabels(tuple[str, ...]):
    """Labels such as `type=busy`, all of which a set of labels must have; none match all sets."""

    __slots__ = ()


# A missing key does not filter, an empty tuple of names matches nothing.
FilterNames = Mapping[Dimension, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class EarlierRange:
    """The earlier range to compare with; `whole` even if the range itself still runs."""

    comparison: Comparison
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Measures in total, by bucket, by group, or in an earlier range to compare with."""

    measures: frozenset[Measure]
    interval: Interval | None = None
    group_by: tuple[Dimension, ...] = ()
    earlier: EarlierRange | None = None
    durations: bool = False  # whether percentiles and distributions are read from its answer

    @property
    def histogram(self) -> bool:
        return self.durations or any(measure.needs_histogram for measure in self.measures)

    @property
    def distinct(self) -> bool:
        return any(measure.needs_projects for measure in self.measures)

    @property
    def ages(self) -> bool:
        return any(measure.needs_ages for measure in self.measures)

    def is_part_of(self, other: Breakdown) -> bool:
        """Whether the answer to the other breakdown of a population has these totals too.

        Not if they have percentiles: those of a series may be less exact.
        """
        return (
            not self.histogram
            and other.earlier is None
            and self.group_by in ((), other.group_by)
            and self.distinct <= other.distinct
            and self.ages == other.ages
        )


@dataclass(frozen=True, slots=True)
class Population:
    """The rows of a fact to count."""

    fact: Fact
    scope: Scope
    filter: Filter
    range: Range
    zone: str
    now: datetime
    floors: Floors

    @classmethod
    def of(
        cls, context: Context, fact: Fact, filter: Filter, range: Range, zone: str
    ) -> Population:
        """Returns the rows of a fact that the viewer may see."""
        floors = context.services.analytics.floors
        return cls(fact, context.scope, filter, range, zone, context.now, floors)

    def slice(self, breakdown: Breakdown) -> Slice:
        """Returns the slice that answers a breakdown."""
        return Slice(
            fact=self.fact.name,
            scope=self.scope,
            filter=self.filter,
            range=self.compared(breakdown.earlier),
            interval=self.interval(breakdown),
            zone=self.zone,
            group_by=breakdown.group_by,
            histogram=breakdown.histogram,
            distinct=breakdown.distinct,
            ages=breakdown.ages,
        )

    def interval(self, breakdown: Breakdown) -> Interval | None:
        """Returns the length of a breakdown's buckets, None without any."""
        asked = breakdown.interval
        read = self.compared(breakdown.earlier)
        return None if asked is None else chosen(asked, read, self.floors)

    def compared(self, earlier: EarlierRange | None) -> Range:
        """Returns the earlier range, or the range itself without one."""
        if earlier is None:
            return self.range
        now = None if earlier.whole else self.now
        return previous(self.range, earlier.comparison, self.zone, now=now)


async def resolve_filter(context: Context, facts: Collection[Fact], names: FilterNames) -> Filter:
    """Returns the ids of the names that select rows of these facts.

    Raises NotFound for a name of a project, network or template that does not exist, or that the
    viewer may not see. A name that belongs to tenants matches nothing unless the scope uses it, so
    that no answer reveals whether somebody else does.
    """
    ids: dict[Dimension, Iterable[int]] = {}
    for dimension, given in names.items():
        check_dimension(facts, dimension, path=dimension.plural)
        _check_length(dimension, given)
        if isinstance(given, WithLabels):
            ids[dimension] = await _sets_with(context, facts, given)
            continue
        asked = [name.lower() if dimension.any_case else name for name in given]
        if dimension.interned:
            found = await _used_names(context, facts, dimension, asked)
        elif dimension is PROJECT:
            found = await context.project_ids(asked)
        else:
            found = await context.services.dictionaries.ids(dimension, asked)
        unknown = next((name for name in asked if name not in found), None)
        if unknown is not None and not dimension.interned:
            raise await unknown_name(context, dimension, unknown)
        ids[dimension] = found.values()
    return Filter.of(ids)


async def _sets_with(
    context: Context, facts: Collection[Fact], labels: WithLabels
) -> Iterable[int]:
    """Returns the ids of the sets of labels that the scope uses and that have all of these."""
    for label in labels:
        if not label.partition("=")[1]:
            raise InvalidInput(f"{label!r} is not written as name=value.", path="labels")
    found = await find_with_labels(context.loaders.state, context.scope, facts, labels, MAX_SETS)
    if len(found) > MAX_SETS:
        raise LimitExceeded(
            f"More than {MAX_SETS:,} sets have these labels: filter by project, or name more.",
            limit=f"label sets per filter: {MAX_SETS}",
            path="labels",
        )
    return found


async def _used_names(
    context: Context, facts: Collection[Fact], dimension: Dimension, asked: Sequence[str]
) -> dict[str, int]:
    """Returns the ids of the names that the scope uses.

    Rows of a name that is new may be written before the figures are read. So where a name is
    missing, all are looked up in the state that the figures are of.
    """
    within = context.scope, facts, dimension, asked
    found = await find_used(context.services.database, *within)
    if len(found) < len(set(asked)):
        found = await find_used(context.loaders.state, *within)
    return found


def check_dimension(facts: Iterable[Fact], dimension: Dimension, path: str) -> None:
    """Raises InvalidInput if one of the facts lacks the dimension."""
    for fact in facts:
        if dimension is not PROJECT and dimension not in fact.dimensions:
            raise InvalidInput(f"There is no {dimension} of {fact.noun}: leave it out.", path=path)


def _check_length(dimension: Dimension, names: Sequence[str]) -> None:
    if len(names) > MAX_NAMES:
        raise LimitExceeded(
            f"A filter names at most {MAX_NAMES} {dimension.plural}, not {len(names)}.",
            limit=f"names per filter: {MAX_NAMES}",
            path=dimension.plural,
        )


async def unknown_name(
    context: Context, dimension: Dimension, name: str, path: str | None = None
) -> NotFound:
    """Returns the error for an unknown name, with the most similar one the viewer may see."""
    short = name[:MAX_NAME_LENGTH]
    known = await of_similar_length(context.services.database, context.scope, dimension, short)
    similar = get_close_matches(short, known, n=1)
    hint = f" Did you mean {similar[0]!r}?" if similar else ""
    message = f"No {dimension} is called {short!r}.{hint}"
    return NotFound(message, path=path or dimension.plural)
