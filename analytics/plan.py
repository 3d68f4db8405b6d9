"""Plan: which tables answer a slice, and for which spans of time each of them is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from analytics.dimensions import Dimension
from analytics.intervals import Interval, edges
from analytics.slices import Slice
from storage.errors import InvalidInput
from storage.facts import FACTS
from storage.facts.fact import Cell, Fact, Floors, Grain, Keep, Presence, Reach
from storage.keeping.windows import Retention

# Times are whole microseconds since the epoch here: a plan compares and rounds many of them.
Window = tuple[int, int]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US


class TableKind(StrEnum):
    """The kinds of tables there are."""

    PLATFORM = "platform"
    PROJECT = "project"
    PRESENCE = "presence"
    FACTS = "facts"


@dataclass(frozen=True, slots=True)
class Layer:
    """A table, the width of its buckets and the earliest one it still keeps."""

    kind: TableKind
    grain: str
    width_us: int
    floor_us: int

    def table_name(self, fact: Fact) -> str:
        if self.kind is TableKind.FACTS:
            return fact.table.name
        return f"{fact.name}_{self.kind}_{self.grain}"


@dataclass(frozen=True, slots=True)
class Scan:
    """A table and the disjoint windows of it that are read, in order."""

    layer: Layer
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """Parts that cover the slice once for its counts and, if asked for, for distinct projects.

    ``edges_us`` are where its buckets begin and end: moved to whole UTC days, where only those
    are kept, which makes the answer approximate.
    """

    edges_us: tuple[int, ...]
    counts: tuple[Scan, ...]
    projects: tuple[Scan, ...]
    approximate: bool
    cell: Cell
    exact_durations: bool


def microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def instant(value_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value_us)


@dataclass(frozen=True, slots=True)
class Horizon:
    """The earliest moments that are still kept; None keeps everything."""

    floors: Floors
    events: datetime | None

    @classmethod
    def at(cls, retention: Retention, now: datetime) -> Horizon:
        return cls(retention.floors(now), retention.events_floor(now))


def make_plan(question: Slice, horizon: Horizon) -> SlicePlan:
    fact = FACTS[question.fact]
    kept = _Kept.of(horizon)
    platform = question.project_ids is None and Dimension.PROJECT not in question.group_by
    finest_us = _finest_us(fact, platform=platform and not question.distinct)
    wanted = _edges_us(question)
    snapped = tuple(_snap(edge, kept, finest_us) for edge in wanted)
    pieces = [(low, high) for low, high in pairwise(snapped) if low < high]
    cell = fact.cell(_dimensions(question))
    layers = _count_layers(fact, question, kept, cell, platform=platform)
    presence_layers = _project_layers(fact, question, kept) if question.distinct else ()
    return SlicePlan(
        edges_us=snapped,
        counts=_cover(pieces, layers),
        projects=_cover(pieces, presence_layers) if question.distinct else (),
        approximate=snapped != wanted,
        cell=cell,
        exact_durations=question.histogram and snapped[0] >= kept.events_us,
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """The same in microseconds."""

    floors_us: dict[Keep, int]
    events_us: int

    @classmethod
    def of(cls, horizon: Horizon) -> _Kept:
        floors_us = {keep: _floor_us(horizon.floors.of(keep)) for keep in Keep}
        return cls(floors_us, _floor_us(horizon.events))

    @property
    def fine_us(self) -> int:
        return self.floors_us[Keep.FINE]


def _floor_us(floor: datetime | None) -> int:
    return 0 if floor is None else microseconds(floor)


def check_interval(question: Slice, retention: Retention, now: datetime) -> None:
    """Refuse a series whose buckets are finer than what is kept from that time."""
    if question.interval not in (Interval.MINUTE, Interval.HOUR):
        return
    floor = retention.floors(now).fine
    if floor is not None and question.range.start < floor:
        raise InvalidInput(
            f"Before {floor:%Y-%m-%d} only whole days are kept: "
            "ask for an interval of a day or longer.",
            path="interval",
        )


def _edges_us(question: Slice) -> tuple[int, ...]:
    if question.interval is None:
        return microseconds(question.range.start), microseconds(question.range.end)
    cuts = edges(question.range, question.interval, question.zone)
    return tuple((cut - _EPOCH) // _MICROSECOND for cut in cuts)


def _finest_us(fact: Fact, *, platform: bool) -> int:
    """The width of the finest roll-ups that are kept as long as hours are."""
    reach = Reach.PLATFORM if platform else Reach.PROJECT
    return min(
        grain.width // _MICROSECOND
        for grain in fact.grains
        if grain.reach is reach and grain.keep is Keep.FINE
    )


def _snap(edge_us: int, kept: _Kept, finest_us: int) -> int:
    """The nearest moment at which what is kept from that time can be cut."""
    if edge_us < kept.fine_us:
        return (edge_us + _DAY_US // 2) // _DAY_US * _DAY_US
    if edge_us < kept.events_us:
        return (edge_us + finest_us // 2) // finest_us * finest_us
    return edge_us


def _dimensions(question: Slice) -> set[str]:
    """What rows must tell apart to be filtered and grouped; each is of one project anyway."""
    return {
        dimension.column
        for dimension in Dimension
        if dimension is not Dimension.PROJECT
        and (dimension in question.group_by or question.filter.ids(dimension) is not None)
    }


def _count_layers(
    fact: Fact, question: Slice, kept: _Kept, cell: Cell, *, platform: bool
) -> tuple[Layer, ...]:
    """The tables that hold the components, widest first, the facts themselves last."""
    grains = [g for g in fact.grains if cell in g.histogram or not question.histogram]
    own = [grain for grain in grains if (grain.reach is Reach.PLATFORM) == platform]
    # The platform has no minutes of its own: those of all projects are summed.
    finer = [grain for grain in grains if platform and grain.keep is Keep.MINUTE]
    chosen = sorted({*own, *finer}, key=lambda grain: grain.width, reverse=True)
    return *(_layer(grain, kept) for grain in chosen), _facts(kept)


def _project_layers(fact: Fact, question: Slice, kept: _Kept) -> tuple[Layer, ...]:
    """The tables that tell which projects were active."""
    if _presence_suffices(question):
        rows = sorted(fact.presences, key=lambda presence: presence.width, reverse=True)
        return *(_layer(presence, kept) for presence in rows), _facts(kept)
    grains = [grain for grain in fact.grains if grain.reach is Reach.PROJECT]
    grains.sort(key=lambda grain: grain.width, reverse=True)
    return *(_layer(grain, kept) for grain in grains), _facts(kept)


def _presence_suffices(question: Slice) -> bool:
    others = [
        dimension
        for dimension in Dimension
        if dimension is not Dimension.NETWORK
        and (dimension in question.group_by or question.filter.ids(dimension) is not None)
    ]
    return question.project_ids is None and not others


def _layer(table: Grain | Presence, kept: _Kept) -> Layer:
    kind = TableKind.PRESENCE if isinstance(table, Presence) else TableKind(table.reach)
    return Layer(kind, table.name, table.width // _MICROSECOND, kept.floors_us[table.keep])


def _facts(kept: _Kept) -> Layer:
    return Layer(TableKind.FACTS, "", 1, kept.events_us)


def _cover(pieces: Iterable[Window], layers: tuple[Layer, ...]) -> tuple[Scan, ...]:
    """Cover every piece once, each as far as possible by the widest buckets."""
    scans: list[Scan] = []
    left = list(pieces)
    for layer in layers:
        covered, rest = _split(left, layer)
        if covered and not _costs_more_than_facts(layer, covered, rest):
            scans.append(Scan(layer, _joined(covered)))
            left = rest
    # A piece older than all that is kept is read from the widest table, which has nothing of it.
    return tuple(scans)


def _split(pieces: list[Window], layer: Layer) -> tuple[list[Window], list[Window]]:
    """The windows of whole buckets inside the pieces, and what is left of the pieces."""
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


def _costs_more_than_facts(layer: Layer, covered: list[Window], rest: list[Window]) -> bool:
    """Minutes at the ragged ends of a range that needs facts anyway are not worth a table more."""
    return (
        layer.width_us < _HOUR_US // 4
        and layer.kind is not TableKind.FACTS
        and bool(rest)
        and sum(high - low for low, high in covered) < _HOUR_US
    )


def _joined(windows: list[Window]) -> tuple[Window, ...]:
    joined = [windows[0]]
    for low, high in windows[1:]:
        if low == joined[-1][1]:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return tuple(joined)
