"""What a fact is: the one declaration from which its roll-ups, rebuild and recount derive."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from sqlalchemy import ColumnElement, Table

# What tells the rows of a project apart.
SERIES_DIMENSIONS = ("environment_id", "network_id", "template_id", "framework_id")


class Clock(StrEnum):
    """The moment that decides into which bucket a component is counted."""

    CREATED = "created"
    FINISHED = "finished"


class Reach(StrEnum):
    """Whether a roll-up keeps a row per project or one for the whole platform."""

    PROJECT = "project"
    PLATFORM = "platform"


class PartitionSpan(StrEnum):
    """How much time one partition holds."""

    DAY = "day"
    MONTH = "month"


class Keep(StrEnum):
    """Which retention setting rules a table."""

    MINUTE = "minute"
    FINE = "fine"
    DAY = "day"


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """An additive integer that one row contributes: ``value`` over the row, never null.

    The sum of a ``large`` one may pass 2^63, so it is numeric wherever it is summed.
    """

    name: str
    clock: Clock
    value: ColumnElement[int]
    description: str
    large: bool = False


@dataclass(frozen=True, slots=True)
class Histogram:
    """Exponential buckets: k holds [base · 2^(k/n), base · 2^((k+1)/n)), with the ends clamped."""

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
        """The largest error of a percentile interpolated within its bucket: one bucket's width."""
        return float(2 ** (1 / self.buckets_per_doubling) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A combination of dimensions that has roll-up rows of its own, summed over all others.

    The number is what its rows are kept under: it never changes, and no other cell gets it.
    """

    number: int
    name: str
    dimensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grain:
    """One roll-up table: bucket width, reach, retention, and whether it is in partitions.

    ``histogram`` are the cells whose rows have one.
    """

    name: str
    width: timedelta
    reach: Reach
    keep: Keep
    histogram: tuple[Cell, ...]
    partition: PartitionSpan | None = None


@dataclass(frozen=True, slots=True)
class RollupRows:
    """Rows of a grain that have the same columns: those of some cells."""

    grain: Grain
    cells: tuple[Cell, ...]
    histogram: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """Which projects had anything at all in a bucket, counted so that it can be subtracted."""

    name: str
    width: timedelta
    keep: Keep


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """A kind of thing that happens: its rows, clocks, components and roll-ups."""

    name: str
    table: Table
    key: tuple[str, ...]
    clocks: Mapping[Clock, str]
    components: tuple[Component, ...]
    cells: tuple[Cell, ...]
    grains: tuple[Grain, ...]
    presences: tuple[Presence, ...]
    presence_component: str
    histogram: Histogram
    histogram_clock: Clock
    histogram_column: str

    def grain(self, name: str, reach: Reach) -> Grain:
        return next(g for g in self.grains if g.name == name and g.reach is reach)

    def rows(self) -> Iterator[RollupRows]:
        """All that the roll-up tables hold, by what columns it has."""
        for grain in self.grains:
            others = tuple(cell for cell in self.cells if cell not in grain.histogram)
            for cells in filter(None, (grain.histogram, others)):
                yield RollupRows(grain, cells, cells is grain.histogram)

    def cell(self, dimensions: Collection[str]) -> Cell:
        """The smallest cell that tells all these dimensions apart."""
        able = [cell for cell in self.cells if set(dimensions) <= set(cell.dimensions)]
        return min(able, key=lambda cell: len(cell.dimensions))

    def component(self, name: str) -> Component:
        return next(component for component in self.components if component.name == name)

    def presence(self, name: str) -> Presence:
        return next(presence for presence in self.presences if presence.name == name)


@dataclass(frozen=True, slots=True)
class Floors:
    """The earliest bucket each kind of roll-up still takes; None keeps everything."""

    minute: datetime | None
    fine: datetime | None
    day: datetime | None

    def of(self, keep: Keep) -> datetime | None:
        return {Keep.MINUTE: self.minute, Keep.FINE: self.fine, Keep.DAY: self.day}[keep]
