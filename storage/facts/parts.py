"""How facts are declared: the tables, components and grains that follow from the rest."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ColumnElement, Table, case, false, func, literal

from storage.dimensions import Dimension
from storage.facts.fact import (
    NO_CONTENT,
    Append,
    Cell,
    Clock,
    Component,
    Content,
    Entity,
    EventKeep,
    Expiry,
    Grain,
    Histogram,
    Keep,
    PartitionSpan,
    Peak,
    Presence,
    Reach,
    Timing,
)
from storage.facts.lifecycle import Lifecycle
from storage.facts.tables import (
    TIME,
    events_table,
    rows_table,
    running_table,
    series_table,
    states_table,
)

_TOTAL = Cell(0, "total", ())


def entity(  # noqa: PLR0913 - what is declared of a fact, each by name
    name: str,
    *,
    stem: str,
    noun: str,
    lifecycle: Lifecycle,
    dimensions: tuple[Dimension, ...],
    columns: tuple[Column[Any], ...],
    cells: tuple[Cell, ...],
    histogram: Histogram,
    presences: tuple[Presence, ...] = (),
    expiry: Expiry | None = None,
    series_at_most: int = 500,
) -> Entity:
    """An entity, with its tables ``<name>s``, ``<name>_events`` and ``<name>_series``.

    ``cells`` are those besides the total, and ``columns`` what events may give besides names.
    """
    states = states_table(name, dimensions, columns)
    cells = (_TOTAL, *cells)
    return Entity(
        name=name,
        stem=stem,
        noun=noun,
        table=states,
        events=events_table(name, dimensions, columns),
        series=series_table(name, dimensions),
        lifecycle=lifecycle,
        clocks={Clock.CREATED: "created_at", Clock.FINISHED: "finished_at"},
        dimensions=dimensions,
        columns=_names_of(columns),
        components=(
            *_statuses(states, lifecycle),
            *_finishes(states, lifecycle),
            *_timed(states.c.duration_us, Clock.FINISHED),
        ),
        leading="attempts",
        cells=cells,
        grains=grains(cells),
        timing=Timing(Clock.FINISHED, histogram),
        presences=presences,
        expiry=expiry,
        series_at_most=series_at_most,
    )


def append(  # noqa: PLR0913 - what is declared of a fact, each by name
    name: str,
    *,
    stem: str,
    noun: str,
    leading: str,
    dimensions: tuple[Dimension, ...],
    columns: tuple[Column[Any], ...],
    components: tuple[Component, ...],
    cells: tuple[Cell, ...],
    histogram: Histogram | None,
    peaks: tuple[Peak, ...] = (),
    content: Content = NO_CONTENT,
    indexed: str = "series_id",
    paired: bool = False,
    partition: PartitionSpan = PartitionSpan.MONTH,
    kept: EventKeep = EventKeep.EVENTS,
    series_at_most: int = 500,
) -> Append:
    """An append fact, with its tables ``<name>s`` and ``<name>_series``.

    ``leading`` counts its rows; ``components`` are those besides, made of ``columns``. With a
    histogram there is a column ``duration_us`` too. A second index finds the newest rows with one
    value of the column ``indexed``. Events of a ``paired`` fact report starts too; what runs is in
    ``running_<name>s``.
    """
    if histogram:
        duration_us = Column("duration_us", BigInteger)
        columns = (duration_us, *columns)
        components = (*components, *_timed(duration_us, Clock.OCCURRED))
    rows = rows_table(name, dimensions, columns, indexed)
    cells = (_TOTAL, *cells)
    seen: list[Column[Any]] = [Column("first_at", TIME), Column("last_at", TIME)]
    if paired:
        # Whether events have reported starts; only then are ends noted beside them.
        seen.append(Column("announced", Boolean, nullable=False, server_default=false()))
    return Append(
        name=name,
        stem=stem,
        noun=noun,
        table=rows,
        events=rows,
        series=series_table(name, dimensions, seen),
        running=running_table(name) if paired else None,
        clocks={Clock.OCCURRED: "occurred_at"},
        dimensions=dimensions,
        columns=_names_of(columns),
        peaks=peaks,
        content=content,
        components=(_count(leading, Clock.OCCURRED), *components),
        leading=leading,
        cells=cells,
        # By weeks are those with many rows.
        grains=grains(
            cells,
            timed=histogram is not None,
            minutes=PartitionSpan.DAY if partition is PartitionSpan.WEEK else None,
        ),
        timing=Timing(Clock.OCCURRED, histogram) if histogram else None,
        partition=partition,
        kept=kept,
        series_at_most=series_at_most,
    )


def flagged(name: str, condition: ColumnElement[bool], clock: Clock = Clock.OCCURRED) -> Component:
    """Counts the rows for which the condition is true."""
    return Component(name, clock, case((condition, 1), else_=0))


def _names_of(columns: Iterable[Column[Any]]) -> tuple[str, ...]:
    """The names as plain `str`: orjson takes no other keys."""
    return tuple(str(column.name) for column in columns)


def _count(name: str, clock: Clock) -> Component:
    return Component(name, clock, literal(1))


def _statuses(states: Table, lifecycle: Lifecycle) -> tuple[Component, ...]:
    """Of the entities created in a bucket: all, and those that have each status now."""
    return (
        _count("attempts", Clock.CREATED),
        *(
            flagged(status.name.lower(), states.c.status == int(status), Clock.CREATED)
            for status in lifecycle.statuses
            if status is not lifecycle.rest
        ),
    )


def _finishes(states: Table, lifecycle: Lifecycle) -> tuple[Component, ...]:
    """Of the entities finished in a bucket: all, and those that finished with each status."""
    finish, clock = states.c.finish_status, Clock.FINISHED
    return (
        _count("finishes", clock),
        *(
            flagged(f"finishes_{status.name.lower()}", finish == int(status), clock)
            for status in lifecycle.finishes
        ),
    )


def _timed(duration_us: ColumnElement[int], clock: Clock) -> tuple[Component, ...]:
    """The number of known durations, and their sum."""
    return (
        flagged("timed", duration_us.is_not(None), clock),
        Component("duration_us", clock, func.coalesce(duration_us, 0), large=True),
    )


def grains(
    cells: tuple[Cell, ...], *, timed: bool = True, minutes: PartitionSpan | None = None
) -> tuple[Grain, ...]:
    """The five roll-ups of a fact whose first cell is the total; ``minutes`` are partitioned so.

    Alert rules and live tiles need percentiles per minute only of a whole project.
    """
    own = cells if timed else ()
    shared = tuple(cell for cell in own if cell.of_platform)
    minute, quarter, hour, day = (timedelta(minutes=n) for n in (1, 15, 60, 24 * 60))
    project, platform = Reach.PROJECT, Reach.PLATFORM
    return (
        Grain("minute", minute, project, Keep.MINUTE, own[:1], minutes),
        Grain("hour", hour, project, Keep.FINE, own),
        Grain("day", day, project, Keep.DAY, own),
        Grain("quarter", quarter, platform, Keep.FINE, shared),
        Grain("day", day, platform, Keep.DAY, shared),
    )
