"""A Slice: everything that decides which components answer a question."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from operator import attrgetter

from access.scopes import Scope
from analytics.dimensions import Dimension
from analytics.intervals import Interval, chosen, edges
from analytics.periods import Range
from analytics.zones import zone_info
from storage.facts import FACTS
from storage.feed.versions import Tags, days_of

# Looking up the versions of more projects than this costs more than a wider tag does.
MAX_TAGS = 200

_READABLE_KEY_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Filter:
    """Sorted ids per dimension; None does not filter, an empty tuple matches nothing."""

    projects: tuple[int, ...] | None = None
    environments: tuple[int, ...] | None = None
    networks: tuple[int, ...] | None = None
    templates: tuple[int, ...] | None = None
    frameworks: tuple[int, ...] | None = None

    @classmethod
    def of(
        cls,
        *,
        projects: Iterable[int] | None = None,
        environments: Iterable[int] | None = None,
        networks: Iterable[int] | None = None,
        templates: Iterable[int] | None = None,
        frameworks: Iterable[int] | None = None,
    ) -> Filter:
        given = (projects, environments, networks, templates, frameworks)
        return cls(*(None if ids is None else tuple(sorted(set(ids))) for ids in given))

    def ids(self, dimension: Dimension) -> tuple[int, ...] | None:
        ids: tuple[int, ...] | None = getattr(self, dimension.filter)
        return ids

    def key(self) -> str:
        named = ((each.name, getattr(self, each.name)) for each in fields(self))
        return ";".join(
            f"{name}={','.join(map(str, ids))}" for name, ids in named if ids is not None
        )


@dataclass(frozen=True, slots=True)
class Slice:
    """A question to the roll-ups. Equal slices have equal answers, so this is the key for both
    loaders and caches. It cannot be made without a scope.
    """

    fact: str
    scope: Scope
    filter: Filter
    range: Range
    interval: Interval | None = None
    zone: str = "UTC"
    group_by: tuple[Dimension, ...] = ()
    histogram: bool = False
    distinct: bool = False
    # It is looked up in dictionaries a dozen times before it is answered.
    _hash: int = field(init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        return self._hash

    def __post_init__(self) -> None:
        if not isinstance(self.scope, Scope):
            raise TypeError("a slice needs a scope")
        if self.fact not in FACTS:
            raise ValueError(f"unknown fact {self.fact!r}")
        if len(set(self.group_by)) != len(self.group_by):
            raise ValueError("a slice groups by each dimension once")
        zone_info(self.zone)
        if self.interval is not None:
            object.__setattr__(self, "interval", chosen(self.interval, self.range))
            edges(self.range, self.interval, self.zone)  # refuses a series of too many points
        object.__setattr__(self, "_hash", hash(_content(self)))

    @property
    def project_ids(self) -> tuple[int, ...] | None:
        """The projects that scope and filter leave; None is all of them, for admins only."""
        if self.filter.projects is None:
            return self.scope.project_ids
        return self.scope.narrow(self.filter.projects).project_ids

    @property
    def is_empty(self) -> bool:
        """Whether nothing can match, whatever is stored."""
        narrowed = (self.filter.ids(dimension) for dimension in Dimension)
        return self.project_ids == () or any(ids == () for ids in narrowed)

    def key(self) -> str:
        """A canonical text: equal slices have equal keys, different ones different keys."""
        parts = (
            self.fact,
            self.scope.key(),
            self.filter.key(),
            f"{self.range.start.isoformat()}/{self.range.end.isoformat()}",
            self.interval or "",
            self.zone,
            ",".join(self.group_by),
            f"{'h' if self.histogram else ''}{'d' if self.distinct else ''}"
            f"{'r' if self.range.rolling else ''}",
        )
        text = "|".join(parts)
        if len(text) <= _READABLE_KEY_LENGTH:
            return text
        return f"{self.fact}#{hashlib.sha256(text.encode()).hexdigest()}"

    def tags(self) -> Tags:
        """The data the answer depends on, as the version counters tell it apart."""
        projects, days = self.project_ids, days_of(self.range.start, self.range.end)
        if projects is not None and len(projects) > MAX_TAGS:
            projects = None
        return Tags(self.fact, projects, days)


_content = attrgetter(*(each.name for each in fields(Slice) if each.compare))
