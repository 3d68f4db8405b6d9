"""A Slice: everything that decides which components are read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from operator import attrgetter

from access.scopes import Scope
from analytics.intervals import Interval, chosen, edges
from analytics.periods import Range
from analytics.zones import zone_info
from storage.dimensions import PROJECT, Dimension
from storage.facts import FACTS
from storage.feed.versions import Tags, days_of

# For more projects than this, one platform-wide version costs less than one per project.
MAX_TAGS = 200

_READABLE_KEY_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Filter:
    """Sorted ids by dimension, in the order of the dimensions' names.

    A dimension without ids does not filter; an empty tuple of ids matches nothing.
    """

    pairs: tuple[tuple[Dimension, tuple[int, ...]], ...] = ()

    @classmethod
    def of(cls, ids: Mapping[Dimension, Iterable[int] | None]) -> Filter:
        """Makes a filter of unsorted ids."""
        pairs = (
            (dimension, tuple(sorted(set(values))))
            for dimension, values in ids.items()
            if values is not None
        )
        return cls(tuple(sorted(pairs, key=lambda pair: pair[0].name)))

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The dimensions that are filtered."""
        return tuple(dimension for dimension, _ in self.pairs)

    def ids(self, dimension: Dimension) -> tuple[int, ...] | None:
        return next((ids for each, ids in self.pairs if each is dimension), None)

    def replaced(self, dimension: Dimension, ids: Iterable[int] | None) -> Filter:
        """Returns a filter with other ids of one dimension; None does not filter by it."""
        return Filter.of({**dict(self.pairs), dimension: ids})

    def key(self) -> str:
        return ";".join(
            f"{dimension.plural}={','.join(map(str, ids))}" for dimension, ids in self.pairs
        )


@dataclass(frozen=True, slots=True)
class Slice:
    """A query over the roll-ups, and the key of loaders and caches: equal slices, equal answers."""

    fact: str
    scope: Scope
    filter: Filter
    range: Range
    interval: Interval | None = None
    zone: str = "UTC"
    group_by: tuple[Dimension, ...] = ()
    histogram: bool = False
    distinct: bool = False
    ages: bool = False
    # The projects in both scope and filter; None means all, which only admins may read.
    project_ids: tuple[int, ...] | None = field(init=False, repr=False, compare=False)
    # Computed once: a slice is looked up in dictionaries a dozen times.
    _hash: int = field(init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        return self._hash

    def __post_init__(self) -> None:
        if not isinstance(self.scope, Scope):
            raise TypeError(f"a slice needs a Scope, not {type(self.scope).__name__}")
        if self.fact not in FACTS:
            raise ValueError(f"unknown fact {self.fact!r}")
        self._check_declared()
        zone_info(self.zone)
        if self.interval is not None:
            object.__setattr__(self, "interval", chosen(self.interval, self.range))
            edges(self.range, self.interval, self.zone)  # raises LimitExceeded for too many points
        wanted = self.filter.ids(PROJECT)
        scope = self.scope if wanted is None else self.scope.narrow(wanted)
        object.__setattr__(self, "project_ids", scope.project_ids)
        object.__setattr__(self, "_hash", hash(_content(self)))

    def _check_declared(self) -> None:
        """Raises ValueError for what the fact does not have."""
        fact, by = FACTS[self.fact], self.group_by
        for dimension in self.used:
            if dimension is not PROJECT and dimension not in fact.dimensions:
                raise ValueError(f"{fact.noun} have no dimension {dimension}")
        if len(by) > 1 and len(set(by)) != len(by):
            raise ValueError(f"a dimension is named twice in group_by: {_names(by)}")
        if self.histogram and fact.timing is None:
            raise ValueError(f"{fact.noun} have no durations, so no histogram")
        if self.distinct and not fact.presences:
            raise ValueError(f"distinct projects of {fact.noun} are not counted")
        if self.ages and not fact.ages:
            raise ValueError(f"{fact.noun} are events, so they have no ages")

    @property
    def used(self) -> frozenset[Dimension]:
        """The dimensions that the slice filters or groups by."""
        return frozenset((*self.group_by, *self.filter.dimensions))

    @property
    def is_empty(self) -> bool:
        """Whether the filter or the scope matches nothing."""
        return self.project_ids == () or any(not ids for _, ids in self.filter.pairs)

    def key(self) -> str:
        """Returns a text that is equal for equal slices only."""
        parts = (
            self.fact,
            self.scope.key(),
            self.filter.key(),
            f"{self.range.start.isoformat()}/{self.range.end.isoformat()}",
            self.interval or "",
            self.zone,
            _names(self.group_by),
            f"{'h' if self.histogram else ''}{'d' if self.distinct else ''}"
            f"{'a' if self.ages else ''}{'r' if self.range.rolling else ''}",
        )
        text = "|".join(parts)
        if len(text) <= _READABLE_KEY_LENGTH:
            return text
        return f"{self.fact}#{hashlib.sha256(text.encode()).hexdigest()}"

    def tags(self) -> Tags:
        """Returns the tags of the data behind the answer, from which its version is made."""
        projects, days = self.project_ids, days_of(self.range.start, self.range.end)
        if self.ages:  # what is in force may have begun on any day before
            days = date.min, days[1]
        if projects is not None and len(projects) > MAX_TAGS:
            projects = None
        return Tags(self.fact, projects, days)


def _names(dimensions: Iterable[Dimension]) -> str:
    return ",".join(dimension.name for dimension in dimensions)


_content = attrgetter(*(each.name for each in fields(Slice) if each.compare))
