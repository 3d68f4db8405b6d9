"""The declaration of a fact, from which its roll-up tables and all SQL over them derive."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from sqlalchemy import ColumnElement, Table

# The dimensions by which a project's roll-up rows differ.
SERIES_DIMENSIONS = ("environment_id", "network_id", "template_id", "framework_id")


class Clock(StrEnum):
    """The time of a row that decides which bucket counts a component."""

    CREATED = "created"
    FINISHED = "finished"


class Reach(StrEnum):
    """Whether a roll-up has rows per project or rows over all projects."""

    PROJECT = "project"
    PLATFORM = "platform"


class PartitionSpan(StrEnum):
    """The length of time of one partition."""

    DAY = "day"
    MONTH = "month"


class Keep(StrEnum):
    """The retention setting that applies to a table."""

    MINUTE = "minute"
    FINE = "fine"
    DAY = "day"


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """An additive integer of a row: the expression ``value``, never null.

    The sum of a ``large`` component may exceed 2^63, so sums of it are numeric.
    """

    name: str
    clock: Clock
    value: ColumnElement[int]
    large: bool = False


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


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """A combination of dimensions with roll-up rows of its own, summed over all other dimensions.

    Stored rows contain the cell's number, so a number is never changed or used again.
    """

    number: int
    name: str
    dimensions: tuple[str, ...]


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
class RollupRows:
    """The cells of a grain whose rows have the same columns, with or without a histogram."""

    grain: Grain
    cells: tuple[Cell, ...]
    histogram: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """A table of the projects with rows in a bucket; it counts the rows, so it can subtract."""

    name: str
    width: timedelta
    keep: Keep


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """A kind of event or entity: its table, clocks, components and roll-ups."""

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

    def rows(self) -> Iterator[RollupRows]:
        """The rows of all roll-up tables, grouped by their columns."""
        for grain in self.grains:
            others = tuple(cell for cell in self.cells if cell not in grain.histogram)
            for cells in filter(None, (grain.histogram, others)):
                yield RollupRows(grain, cells, cells is grain.histogram)

    def cell(self, dimensions: Collection[str]) -> Cell:
        """The cell with the fewest dimensions that include all these."""
        suitable = [cell for cell in self.cells if set(dimensions) <= set(cell.dimensions)]
        return min(suitable, key=lambda cell: len(cell.dimensions))

    def component(self, name: str) -> Component:
        return next(component for component in self.components if component.name == name)


@dataclass(frozen=True, slots=True)
class Floors:
    """The earliest bucket that each kind of roll-up keeps; None keeps all."""

    minute: datetime | None
    fine: datetime | None
    day: datetime | None

    def of(self, keep: Keep) -> datetime | None:
        return {Keep.MINUTE: self.minute, Keep.FINE: self.fine, Keep.DAY: self.day}[keep]
