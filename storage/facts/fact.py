"""The declaration of a fact, from which its tables and all SQL over them derive."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, Table

from storage.dimensions import Dimension
from storage.facts.lifecycle import Lifecycle


class Clock(StrEnum):
    """The time of a row that decides which bucket counts a component."""

    CREATED = "created"
    FINISHED = "finished"
    OCCURRED = "occurred"
    END = "end"  # no time of a row: the end of the range that is asked for


class Age(StrEnum):
    """The time since some moment of an entity's rows, at the end of a range; the longest counts.

    It changes without any event, so it is read from the rows (`storage/queries/ages.py`).
    """

    RUNNING = "running"  # since the start, of what was created in the range and had not ended
    EXPIRY = "expiry"  # since the expiry, of what was in force; below zero until then


class Reach(StrEnum):
    """Whether a roll-up has rows per project or rows over all projects."""

    PROJECT = "project"
    PLATFORM = "platform"


class PartitionSpan(StrEnum):
    """The length of time of one partition. Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Keep(StrEnum):
    """The retention setting that applies to a table."""

    MINUTE = "minute"
    FINE = "fine"
    DAY = "day"


class EventKeep(StrEnum):
    """The retention setting that applies to the events of a fact."""

    EVENTS = "events"
    ERRORS = "errors"
    LOGS = "logs"


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """An additive integer of a row: the expression ``value``, never null.

    The sum of a ``large`` component may exceed 2^63, so sums of it are numeric.
    """

    name: str
    clock: Clock
    value: ColumnElement[int]
    large: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """The greatest of an integer of an append fact's rows: the expression ``value``, never null.

    The least of x is minus the peak of -x. Peaks of parts give the peak of the whole in any order,
    but nothing can be taken out of one again. So the fact's dimensions are all interned: a row then
    never moves to another series. ``value`` may use columns of the series.
    """

    name: str
    value: ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Exponential buckets: k holds [base · 2^(k/n), base · 2^((k+1)/n)), n per doubling.

    The first and the last bucket also hold all shorter and longer durations.
    """

    base_us: int
    buckets_per_doubling: int = 8
    buckets: int = 160

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f"h{index}" for index in range(self.buckets))

    def lower_bound_us(self, bucket: int) -> int:
        """The smallest duration, in microseconds, that belongs to ``bucket``."""
        return ceil(self.base_us * 2 ** (bucket / self.buckets_per_doubling))

    def thresholds_us(self) -> tuple[int, ...]:
        """The lower bounds of buckets 1 and up, as PostgreSQL's ``width_bucket`` wants them."""
        return tuple(self.lower_bound_us(bucket) for bucket in range(1, self.buckets))

    @property
    def relative_error(self) -> float:
        """The largest relative error of an interpolated percentile: the width of its bucket."""
        return float(2 ** (1 / self.buckets_per_doubling) - 1)


@dataclass(frozen=True, slots=True)
class Timing:
    """The duration of a row: its column, its clock, and the histogram of all durations.

    The component ``count`` counts the known durations; the component ``total`` sums them.
    """

    clock: Clock
    histogram: Histogram
    column: str = "duration_us"
    count: str = "timed"
    total: str = "duration_us"


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A combination of dimensions with roll-up rows of its own, summed over all other dimensions.

    Stored rows contain the cell's number, so a number is never changed or used again. A cell that
    is not ``of_platform`` has rows per project only, as names of tenants mean nothing beyond.
    """

    number: int
    name: str
    dimensions: tuple[Dimension, ...]
    of_platform: bool = True


@dataclass(frozen=True, slots=True)
class Grain:
    """One roll-up table: bucket width, reach, retention, cells with a histogram, partitions."""

    name: str
    width: timedelta
    reach: Reach
    keep: Keep
    histogram: tuple[Cell, ...]
    partition: PartitionSpan | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What events of an append fact give beside its columns, by name.

    It is stored beside the rows (`storage/contents.py`); `tables` are those of its tables that are
    partitioned and kept like the rows.
    """

    names: tuple[str, ...]
    tables: tuple[str, ...] = ()


NO_CONTENT = Content(())


@dataclass(frozen=True, slots=True)
class Presence:
    """A table of the projects with rows in a bucket, by one dimension.

    It counts the rows, so it can subtract.
    """

    name: str
    width: timedelta
    keep: Keep
    dimension: Dimension


@dataclass(frozen=True, slots=True)
class Expiry:
    """What makes an entity expire: the ``column`` with that time, and what takes its place.

    In force is, of each name of the dimension ``of`` in each name of ``within``, or in none, the
    entity that was the last to finish with one of the statuses, if it has one still.
    """

    column: str
    of: Dimension
    within: Dimension
    statuses: tuple[IntEnum, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Fact:
    """A kind of event or entity: its names, tables, dimensions, clocks, components and roll-ups.

    ``name`` is part of table names, of the feed and of cache keys. ``stem`` begins its GraphQL
    names: `Build` gives `BuildStats` and `buildStats`. ``noun`` is its plural in descriptions. The
    ``leading`` component is the one that groups are sorted by and shares are made of.
    """

    name: str
    stem: str
    noun: str
    table: Table  # a row for each entity, or for each event
    events: Table  # as received
    series: Table  # its combinations of dimensions, by project
    clocks: Mapping[Clock, str]  # to columns of the table; the first one says when a row began
    dimensions: tuple[Dimension, ...]
    components: tuple[Component, ...]
    leading: str
    cells: tuple[Cell, ...]
    grains: tuple[Grain, ...]
    columns: tuple[str, ...]  # its own columns, besides keys, times and dimensions
    peaks: tuple[Peak, ...] = ()
    series_at_most: int = 500  # series of a project; further ones are counted as "other"
    timing: Timing | None = None
    presences: tuple[Presence, ...] = ()
    partition: PartitionSpan = PartitionSpan.MONTH  # of the table of events
    kept: EventKeep = EventKeep.EVENTS
    content: Content = NO_CONTENT

    def __repr__(self) -> str:
        return self.name

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key of the table."""
        return tuple(column.name for column in self.table.primary_key)

    @property
    def series_columns(self) -> tuple[str, ...]:
        """The columns of its dimensions in series and roll-ups."""
        return tuple(dimension.column for dimension in self.dimensions)

    @property
    def counted(self) -> tuple[str, ...]:
        """The columns of its components and peaks in roll-ups."""
        return (
            *(component.name for component in self.components),
            *(peak.name for peak in self.peaks),
        )

    @property
    def histogram(self) -> tuple[str, ...]:
        """The columns of its histogram in roll-ups."""
        return self.timing.histogram.columns if self.timing else ()

    @property
    def ages(self) -> tuple[Age, ...]:
        """What is known of its rows at the end of a range."""
        return ()

    def cells_of(self, grain: Grain) -> tuple[Cell, ...]:
        """The cells that have rows in a grain's table."""
        if grain.reach is Reach.PROJECT:
            return self.cells
        return tuple(cell for cell in self.cells if cell.of_platform)

    def cell(self, dimensions: Collection[Dimension]) -> Cell:
        """The cell with the fewest dimensions that include all these."""
        suitable = [cell for cell in self.cells if set(dimensions) <= set(cell.dimensions)]
        return min(suitable, key=lambda cell: len(cell.dimensions))

    def grain(self, reach: Reach, keep: Keep) -> Grain:
        """The grain of this reach that is kept so long."""
        return next(g for g in self.grains if g.reach is reach and g.keep is keep)

    def component(self, name: str) -> Component:
        return next(component for component in self.components if component.name == name)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Entity(Fact):
    """A fact whose rows change: each is folded from the status events of one entity.

    Of each of its ``columns`` the earliest value given counts. Such a row is counted by its
    creation time, and by its finish time.
    """

    lifecycle: Lifecycle
    expiry: Expiry | None = None

    @property
    def ages(self) -> tuple[Age, ...]:
        return (Age.RUNNING, Age.EXPIRY) if self.expiry else (Age.RUNNING,)

    @property
    def id_column(self) -> str:
        """The column with the entity's id, in both tables."""
        return self.key[1]

    @property
    def given(self) -> tuple[str, ...]:
        """The columns of names and further values that events give."""
        return (*(dimension.name for dimension in self.dimensions), *self.columns)


# The types of events of append facts: of what becomes a row, and of a start, whose row comes later.
COMPLETION = 0
START = 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Append(Fact):
    """A fact whose rows never change: each event is a row, counted when it occurred.

    ``running`` holds what has started and not ended, where events report starts too.
    """

    running: Table | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The columns of values that events give; of names only those that may be provisioned."""
        late = (dimension.name for dimension in self.dimensions if not dimension.interned)
        return (*late, *self.columns)


@dataclass(frozen=True, slots=True)
class Floors:
    """The earliest bucket that each kind of roll-up keeps; None keeps all."""

    minute: datetime | None
    fine: datetime | None
    day: datetime | None

    def of(self, keep: Keep) -> datetime | None:
        return {Keep.MINUTE: self.minute, Keep.FINE: self.fine, Keep.DAY: self.day}[keep]
