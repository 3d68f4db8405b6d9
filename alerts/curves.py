"""The curve of a rule's measure over its recent past, for the picture in a mail.

It is read as `metrics` reads: each point is the measure over a whole window that ends there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from access.scopes import Scope
from alerts.conditions import measure_of
from alerts.documents import rule_of
from alerts.guards import Cell
from alerts.messages import Item, Message, Points, pictured
from alerts.rules import Watch
from alerts.selection import ids_of, selected
from alerts.sliding import Sliding
from alerts.windows import EPOCH, STEPS
from analytics.answer import Answer
from analytics.intervals import MAX_POINTS, Interval
from analytics.measures import Measure, MeasureKind
from analytics.periods import Range
from analytics.run import Analytics
from analytics.slices import Filter, Slice
from storage.alerts import rules
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.dimensions import DIMENSIONS, NONE, OTHER, PROJECT, Dimension
from storage.errors import GatewayError
from storage.keeping.windows import Retention
from storage.names import OTHER_NAME
from storage.times import DAY

log = structlog.get_logger(component="alerts")

POINTS = 24
WINDOWS = 2  # the points lie within this many windows
# A mail does not wait longer for its curve.
SECONDS = 2.0
KEPT = 200  # curves, for further mails about the same alert

# These do not follow from the sums of what happened in the window.
_NO_SUMS = (MeasureKind.SHARE, MeasureKind.DISTINCT, MeasureKind.AGE)


class Curves:
    """Reads the curves of messages, one at a time, and from the database alone."""

    def __init__(
        self, database: Database, retention: Retention, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._dictionaries = Dictionaries(database)
        self._analytics = Analytics(database, None, retention, clock)
        self._turn = asyncio.Lock()
        self._kept: dict[tuple[UUID, datetime], Points] = {}

    async def added(self, message: Message) -> Message:
        """Returns the message with the curve of the alert that its picture shows.

        As it was, if that has none, or if it cannot be read within `SECONDS`.
        """
        number = pictured(message)
        if number is None:
            return message
        item = message.items[number]
        try:
            async with asyncio.timeout(SECONDS), self._turn:
                points = await self._points(item)
        except (GatewayError, TimeoutError) as error:
            log.warning("no_curve", rule=str(item.rule_id), reason=type(error).__name__)
            return message
        except Exception:  # a mail without a curve is better than none
            log.exception("no_curve", rule=str(item.rule_id))
            return message
        items = [*message.items]
        items[number] = replace(item, points=points or item.points)
        return replace(message, items=tuple(items))

    async def _points(self, item: Item) -> Points:
        key = item.event_id, item.at
        if key not in self._kept:
            found = await self._read(item)
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = found
        return self._kept[key]

    async def _read(self, item: Item) -> Points:
        async with self._database.connection() as connection:
            row = await rules.find(connection, item.rule_id)
            if await rules.is_watched_otherwise(connection, item.event_id):
                return ()
        watch = None if row is None else rule_of(row.name, row.document)[0].trigger
        if row is None or not isinstance(watch, Watch) or watch.measure != item.measure:
            return ()
        plan = plan_of(watch, item.at)
        if plan is None:
            return ()
        scope = Scope.everything() if row.project_id is None else Scope.of([row.project_id])
        question = plan.question(scope, await self._filter(watch, item))
        state = self._analytics.state(optimistic=True)
        try:
            (answer,) = await self._analytics.run_each([question], state)
        finally:
            state.release()
        if isinstance(answer, GatewayError):
            raise answer
        measured = item.points[-1]  # the evidence itself
        return tuple(sorted({**dict(plan.points(answer)), measured[0]: measured[1]}.items()))

    async def _filter(self, watch: Watch, item: Item) -> Filter:
        """What the rule selects, and of that the group that the alert is about."""
        group = {name: item.labels[name] for name in watch.group_by}
        one = replace(watch, filter={**watch.filter, **{name: (group[name],) for name in group}})
        ids = selected(one, await ids_of(self._dictionaries, [one]))
        for name, value in group.items():
            if (id := _unnamed(DIMENSIONS[name], value)) is not None:
                ids[DIMENSIONS[name]] = (id,)
        return Filter.of(ids)


def _unnamed(dimension: Dimension, name: str) -> int | None:
    """The id of what has no name of its own."""
    return None if dimension is PROJECT else {"": NONE, OTHER_NAME: OTHER}.get(name)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which windows a curve is made of: their ends, in whole steps from the first bucket."""

    measure: Measure
    interval: Interval
    window: int  # steps
    ends: range
    start: datetime

    def question(self, scope: Scope, filter: Filter) -> Slice:
        """Returns the slice with a bucket for each step."""
        return Slice(
            self.measure.fact,
            scope,
            filter,
            Range(self.start, self._at(self.ends[-1])),
            self.interval,
            histogram=self.measure.needs_histogram,
        )

    def points(self, answer: Answer) -> Iterator[tuple[datetime, float | None]]:
        """Yields the value of each window at its end."""
        days = self.window * STEPS[self.interval] / DAY
        cells = enumerate(answer.rows.get((), answer.nothing()))
        window = Sliding(
            [(number, cell) for number, cell in cells if any(cell.counts) or cell.peaks],
            answer.zero,
        )
        for end in self.ends:
            cell = window.over(end - self.window, end)
            yield self._at(end), Cell(cell, cell, days).value(self.measure)

    def _at(self, step: int) -> datetime:
        return self.start + step * STEPS[self.interval]


def plan_of(watch: Watch, now: datetime) -> Plan | None:
    """Returns how a rule's curve up to now is read; None if its windows are no sums of buckets."""
    measure = measure_of(watch)
    if measure.kind in _NO_SUMS:
        return None
    length = timedelta(seconds=watch.window_seconds)
    for interval, step in STEPS.items():
        window = length // step
        stride = max(1, WINDOWS * window // POINTS)
        reach = window + POINTS * stride
        if not length % step and reach <= MAX_POINTS[interval]:
            last = EPOCH + (now - EPOCH) // step * step
            ends = range(window, reach + 1, stride)
            return Plan(measure, interval, window, ends, last - reach * step)
    return None
