"""Plans: which tables answer a slice, and which spans of time are read from each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from analytics.intervals import Interval, edges
from analytics.slices import Slice
from storage.dimensions import PROJECT, Dimension
from storage.errors import InvalidInput
from storage.facts import FACTS
from storage.facts.fact import Cell, Entity, EventKeep, Fact, Floors, Grain, Keep, Presence, Reach
from storage.keeping.windows import Retention

# A start and an end, in whole microseconds since the epoch: a plan compares and rounds many.
Window = tuple[int, int]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
_EVENT_KEEPS = tuple(EventKeep)


class TableKind(StrEnum):
    """The kinds of tables that answer slices."""

    PLATFORM = "platform"
    PROJECT = "project"
    PRESENCE = "presence"
    FACTS = "facts"


@dataclass(frozen=True, slots=True)
class Layer:
    """A table, the width of its buckets, and the start of the earliest bucket still stored."""

    kind: TableKind
    grain: str
    width_us: int
    floor_us: int


@dataclass(frozen=True, slots=True)
class Scan:
    """A table, and the disjoint windows to read from it, in order."""

    layer: Layer
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """Scans that cover the slice once for its counts and, if wanted, for distinct projects.

    ``edges_us`` are the starts of the buckets and the end of the last one. Where only whole UTC
    days are stored, edges are moved to them, which makes the answer approximate.
    """

    edges_us: tuple[int, ...]
    counts: tuple[Scan, ...]
    projects: tuple[Scan, ...]
    approximate: bool
    cell: Cell
    exact_durations: bool


def microseconds(instant: datetime) -> int:
    """Microseconds since the epoch."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(value_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value_us)


@dataclass(frozen=True, slots=True)
class Horizon:
    """The earliest moments whose data is still stored; None means no limit.

    ``events`` limits the rows of facts too: those of an append fact are its events, and figures
    of entities can be checked only as long as their events are stored.
    """

    floors: Floors
    events: tuple[datetime | None, ...]  # in the order of EventKeep

    @classmethod
    def at(cls, retention: Retention, now: datetime) -> Horizon:
        events = tuple(retention.events_floor(now, kept) for kept in EventKeep)
        return cls(retention.floors(now), events)

    def floor_us(self, keep: Keep) -> int:
        return _floor_us(self.floors.of(keep))

    def rows_us(self, fact: Fact) -> int:
        """The earliest moment from which all rows of a fact are stored."""
        events = self.events[_EVENT_KEEPS.index(fact.kept)]
        return max(_floor_us(events), self.floor_us(Keep.DAY))

    @property
    def days(self) -> datetime:
        """The earliest moment whose days are still stored."""
        return self.floors.day or datetime.min.replace(tzinfo=UTC)


def _floor_us(floor: datetime | None) -> int:
    return 0 if floor is None else microseconds(floor)


def make_plan(question: Slice, horizon: Horizon) -> SlicePlan:
    fact = FACTS[question.fact]
    # The project is a column of every row, so it is no dimension of a cell.
    cell = fact.cell(question.used - {PROJECT})
    platform = cell.of_platform and _is_of_platform(question)
    finest_us = _finest_us(fact, platform=platform and not question.distinct)
    wanted = _edges_us(question)
    fine_us, rows_us = horizon.floor_us(Keep.FINE), horizon.rows_us(fact)
    snapped = tuple(_snap(edge, fine_us, rows_us, finest_us) for edge in wanted)
    pieces = [(low, high) for low, high in pairwise(snapped) if low < high]
    layers = _count_layers(fact, question, horizon, cell, platform=platform)
    presence_layers = _project_layers(fact, question, horizon) if question.distinct else ()
    return SlicePlan(
        edges_us=snapped,
        counts=_cover(fact, pieces, layers),
        projects=_cover(fact, pieces, presence_layers),
        approximate=snapped != wanted,
        cell=cell,
        exact_durations=question.histogram and snapped[0] >= rows_us,
    )


def _is_of_platform(question: Slice) -> bool:
    """Whether the slice is about all projects together."""
    return question.project_ids is None and PROJECT not in question.group_by


def check_interval(question: Slice, horizon: Horizon) -> None:
    """Raises InvalidInput if the buckets are finer than the data stored for that time."""
    if question.interval not in (Interval.MINUTE, Interval.HOUR):
        return
    floor = horizon.floors.fine
    if floor is not None and question.range.start < floor:
        raise InvalidInput(
            f"Before {floor:%Y-%m-%d} only whole days are stored: "
            "ask for an interval of a day or longer, or for a later start.",
            path="interval",
        )


def _edges_us(question: Slice) -> tuple[int, ...]:
    if question.interval is None:
        return microseconds(question.range.start), microseconds(question.range.end)
    cuts = edges(question.range, question.interval, question.zone)
    return tuple((cut - _EPOCH) // _MICROSECOND for cut in cuts)


def _finest_us(fact: Fact, *, platform: bool) -> int:
    """The width of the finest roll-ups that are stored as long as hours are."""
    reach = Reach.PLATFORM if platform else Reach.PROJECT
    return min(
        grain.width // _MICROSECOND
        for grain in fact.grains
        if grain.reach is reach and grain.keep is Keep.FINE
    )


def _snap(edge_us: int, fine_us: int, rows_us: int, finest_us: int) -> int:
    """Rounds to the nearest edge of a bucket that is still stored for that time."""
    if edge_us < fine_us:
        return (edge_us + DAY_US // 2) // DAY_US * DAY_US
    if edge_us < rows_us:
        return (edge_us + finest_us // 2) // finest_us * finest_us
    return edge_us


def _count_layers(
    fact: Fact, question: Slice, horizon: Horizon, cell: Cell, *, platform: bool
) -> tuple[Layer, ...]:
    """The tables that hold the components."""
    grains = [g for g in fact.grains if cell in g.histogram or not question.histogram]
    own = [grain for grain in grains if (grain.reach is Reach.PLATFORM) == platform]
    # There are no minute rows for the platform, so the rows of all projects are summed.
    finer = [grain for grain in grains if platform and grain.keep is Keep.MINUTE]
    return _layers(fact, {*own, *finer}, horizon)


def _project_layers(fact: Fact, question: Slice, horizon: Horizon) -> tuple[Layer, ...]:
    """The tables from which distinct projects are counted."""
    if _is_of_platform(question):
        presences = _presences(fact, question.used)
        if presences:
            return _layers(fact, presences, horizon)
    own = (grain for grain in fact.grains if grain.reach is Reach.PROJECT)
    return _layers(fact, own, horizon)


def _presences(fact: Fact, used: frozenset[Dimension]) -> list[Presence]:
    """The tables that list projects by a dimension which is the only one used, if any is."""
    for dimension in dict.fromkeys(presence.dimension for presence in fact.presences):
        if used <= {dimension}:
            return [table for table in fact.presences if table.dimension is dimension]
    return []


def _layers(fact: Fact, tables: Iterable[Grain | Presence], horizon: Horizon) -> tuple[Layer, ...]:
    """The layers of these tables, widest first, and of the facts at the end."""
    widest_first = sorted(tables, key=lambda table: table.width, reverse=True)
    facts = Layer(TableKind.FACTS, "", 1, horizon.rows_us(fact))
    return *(_layer(table, horizon) for table in widest_first), facts


def _layer(table: Grain | Presence, horizon: Horizon) -> Layer:
    kind = TableKind.PRESENCE if isinstance(table, Presence) else TableKind(table.reach)
    return Layer(kind, table.name, table.width // _MICROSECOND, horizon.floor_us(table.keep))


def _cover(fact: Fact, pieces: Iterable[Window], layers: tuple[Layer, ...]) -> tuple[Scan, ...]:
    """Covers each piece once, as far as possible by the widest buckets."""
    scans: list[Scan] = []
    left = list(pieces)
    for layer in layers:
        covered, rest = _split(left, layer)
        if covered and not _costs_more_than_rows(fact, layer, covered, rest):
            scans.append(Scan(layer, _joined(covered)))
            left = rest
    # Pieces older than all stored data remain: no table has rows for them.
    return tuple(scans)


def _split(pieces: list[Window], layer: Layer) -> tuple[list[Window], list[Window]]:
    """Returns the windows of whole buckets inside the pieces, and the rest of the pieces."""
    width, floor = layer.width_us, layer.floor_us
    covered: list[Window] = []
    rest: list[Window] = []
    for low, high in pieces:
        first = -(-max(low, floor) // width) * width
        last = high // width * width
        if first >= last:
            rest.append((low, high))
            continue
        covered.append((first, last))
        if low < first:
            rest.append((low, first))
        if last < high:
            rest.append((last, high))
    return covered, rest


def _costs_more_than_rows(
    fact: Fact, layer: Layer, covered: list[Window], rest: list[Window]
) -> bool:
    """Whether the layer is minutes at the ragged ends of a range that reads entities anyway.

    Of entities there are few; the events of an append fact may be many in any minute.
    """
    return (
        isinstance(fact, Entity)
        and layer.width_us < HOUR_US // 4
        and layer.kind is not TableKind.FACTS
        and bool(rest)
        and sum(high - low for low, high in covered) < HOUR_US
    )


def _joined(windows: list[Window]) -> tuple[Window, ...]:
    """Merges adjacent windows."""
    joined = [windows[0]]
    for low, high in windows[1:]:
        if low == joined[-1][1]:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return tuple(joined)
