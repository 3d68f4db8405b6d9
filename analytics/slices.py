"""A Slice: everything that decides which components are read."""

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

# For more projects than this, one platform-wide version costs less than one per project.
MAX_TAGS = 200

_READABLE_KEY_LENGTH = 400


_FILTER_FIELDS = tuple(dimension.filter for dimension in Dimension)


@dataclass(frozen=True, slots=True)
class Filter:
    """Sorted ids per dimension; None does not filter, an empty tuple matches nothing."""

    projects: tuple[int, ...] | None = None
    environments: tuple[int, ...] | None = None
    networks: tuple[int, ...] | None = None
    templates: tuple[int, ...] | None = None
    frameworks: tuple[int, ...] | None = None

    @classmethod
    def of(cls, **ids: Iterable[int] | None) -> Filter:
        """Makes a filter of unsorted ids by field."""
        return cls(
            **{
                name: None if values is None else tuple(sorted(set(values)))
                for name, values in ids.items()
            }
        )

    def ids(self, dimension: Dimension) -> tuple[int, ...] | None:
        ids: tuple[int, ...] | None = getattr(self, dimension.filter)
        return ids

    def key(self) -> str:
        return ";".join(
            f"{name}={','.join(map(str, ids))}"
            for name in _FILTER_FIELDS
            if (ids := getattr(self, name)) is not None
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
    # Computed once: a slice is looked up in dictionaries a dozen times.
    _hash: int = field(init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        return self._hash

    def __post_init__(self) -> None:
        if not isinstance(self.scope, Scope):
            raise TypeError(f"a slice needs a Scope, not {type(self.scope).__name__}")
        if self.fact not in FACTS:
            raise ValueError(f"unknown fact {self.fact!r}")
        if len(set(self.group_by)) != len(self.group_by):
            raise ValueError(f"a dimension is named twice in group_by: {self.group_by}")
        zone_info(self.zone)
        if self.interval is not None:
            object.__setattr__(self, "interval", chosen(self.interval, self.range))
            edges(self.range, self.interval, self.zone)  # raises LimitExceeded for too many points
        object.__setattr__(self, "_hash", hash(_content(self)))

    @property
    def project_ids(self) -> tuple[int, ...] | None:
        """The projects in both scope and filter; None means all, which only admins may read."""
        if self.filter.projects is None:
            return self.scope.project_ids
        return self.scope.narrow(self.filter.projects).project_ids

    @property
    def is_empty(self) -> bool:
        """Whether the filter or the scope matches nothing."""
        return self.project_ids == () or any(
            self.filter.ids(dimension) == () for dimension in Dimension
        )

    def uses(self, dimension: Dimension) -> bool:
        """Whether the slice filters or groups by the dimension."""
        return dimension in self.group_by or self.filter.ids(dimension) is not None

    def key(self) -> str:
        """Returns a text that is equal for equal slices only."""
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
        """Returns the tags of the data behind the answer, from which its version is made."""
        projects, days = self.project_ids, days_of(self.range.start, self.range.end)
        if projects is not None and len(projects) > MAX_TAGS:
            projects = None
        return Tags(self.fact, projects, days)


_content = attrgetter(*(each.name for each in fields(Slice) if each.compare))
