"""Plays a rule over ages back: pure, minute by minute where something changes, as if live."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from alerts.back_test import LONGEST, NOTHING_STORED, TOO_LONG
from alerts.conditions import Reading, judge, measure_of, outcome_of, timing_of
from alerts.guards import ABOVE, Cell
from alerts.replay import BackTest, Tape, waits
from alerts.rules import INSTANCES_AT_MOST, Threshold, Watch
from alerts.states import Outcome, Phase, State
from alerts.windows import window_of
from analytics.answer import Key
from analytics.components import Components, zero
from analytics.measures import Unit
from analytics.periods import Range
from storage.errors import InvalidInput
from storage.facts import FACTS
from storage.facts.fact import Age, Entity, Floors
from storage.times import DAY, HOUR, full_hour

# The most rows that are read, the newest.
STANDINGS_AT_MOST = 20_000
_MINUTE, _MICROSECOND = timedelta(minutes=1), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """A row that has an age since some time, after ``began`` and up to ``ended``.

    Of what runs, only windows that begin up to ``created`` see it.
    """

    since: datetime
    began: datetime
    ended: datetime | None
    created: datetime | None

    def is_seen(self, now: datetime, start: datetime) -> bool:
        """Whether the age counts at a time, in a window that starts then."""
        lasts = self.ended is None or now <= self.ended
        return self.began < now and lasts and (self.created is None or start <= self.created)


@dataclass(frozen=True, slots=True)
class AgePlan:
    """The part of a range whose rows are stored, and what is watched in it."""

    watch: Watch
    threshold: Threshold
    range: Range

    @property
    def fact(self) -> Entity:
        fact = FACTS[measure_of(self.watch).fact]
        assert isinstance(fact, Entity)
        return fact

    @property
    def age(self) -> Age:
        return Age.EXPIRY if measure_of(self.watch).unit is Unit.DAYS else Age.RUNNING

    @property
    def earliest(self) -> datetime:
        """Where the first window begins."""
        return window_of(self.watch, self.range.start).start

    @property
    def lasting(self) -> timedelta:
        """The age that a row must reach to matter; none does where low ages are wrong."""
        rises = self.threshold.operator in ABOVE
        return timedelta(milliseconds=self.threshold.bound) if rises else timedelta()

    def crossing(self, standing: Standing) -> datetime:
        """When the age of a row alone is as much as the bound."""
        bound = self.threshold.bound
        by = timedelta(milliseconds=bound) if self.age is Age.RUNNING else -bound * DAY
        return standing.since + by


def plan_ages(watch: Watch, span: Range, floors: Floors, now: datetime) -> AgePlan:
    """Plans a back-test of a rule over ages; raises InvalidInput where there can be none."""
    if span.length > LONGEST:
        raise InvalidInput(TOO_LONG, path="range")
    if not isinstance(watch.comparison, Threshold):
        raise InvalidInput(
            "How things stand is played back against a threshold alone: give one.",
            path="trigger.watch.comparison",
        )
    start = span.start if floors.day is None else max(span.start, floors.day)
    start, end = _minute_from(start), min(span.end, now)
    if start >= end:
        raise InvalidInput(NOTHING_STORED, path="range")
    return AgePlan(watch, watch.comparison, Range(start, end))


def replay_ages(
    made: AgePlan,
    standings: Mapping[Key, Sequence[Standing]],
    labels: Callable[[Key], Mapping[str, str]],
) -> BackTest:
    """Returns what the rule would have done, from the rows of each of its groups."""
    groups: Iterable[Key] = [()]
    left_out = 0
    if made.watch.group_by:
        by_crossing = sorted(standings, key=lambda key: min(map(made.crossing, standings[key])))
        groups, left_out = by_crossing[:INSTANCES_AT_MOST], len(by_crossing[INSTANCES_AT_MOST:])
    tape = Tape(timing_of(made.watch))
    for key in groups:
        _Run(made, standings.get(key, ())).go(key, labels(key), tape)
    tape.sort()
    read = sum(map(len, standings.values()))
    notes = () if read < STANDINGS_AT_MOST else ("Of too many rows the newest were played.",)
    return tape.back_test(made.range, _MINUTE, left_out, notes)


class _Run:
    """One instance, at each minute at which something changes."""

    def __init__(self, made: AgePlan, standings: Iterable[Standing]) -> None:
        self._made, self._watch = made, made.watch
        self._coming = sorted(standings, key=lambda each: each.began, reverse=True)
        self._changes = sorted(self._minutes(self._coming))
        self._seen: list[Standing] = []
        self._empty = zero(made.fact.name, ages=True)
        self._at = made.fact.ages.index(made.age)

    def go(self, key: Key, labels: Mapping[str, str], tape: Tape) -> None:
        """Looks at the first minute, and then where the age or the state changes."""
        now: datetime | None = self._made.range.start
        state = State.initial(self._made.range.start)
        while now is not None and now <= self._made.range.end:
            reading, exists = self._reading(now)
            outcome = outcome_of(self._watch, reading, None)
            if not exists and outcome is Outcome.BREACH:
                outcome = Outcome.NO_DATA  # a group of which there is nothing cannot stay wrong
            if exists or state.phase is not Phase.INACTIVE:
                evidence = partial(judge, self._watch, reading, None, now, labels)
                state = tape.advance(key, state, outcome, now, evidence)
            now = now + _MINUTE if waits(state) else self._next(now)

    def _next(self, now: datetime) -> datetime | None:
        place = bisect_right(self._changes, now)
        return self._changes[place] if place < len(self._changes) else None

    def _minutes(self, standings: Iterable[Standing]) -> Iterator[datetime]:
        """The minutes from which on a row is seen, crosses the bound, or is no longer seen."""
        window = timedelta(seconds=self._watch.window_seconds)
        for each in standings:
            times = [each.began, self._made.crossing(each)]
            times += [each.ended] if each.ended is not None else []
            if each.created is not None:
                times += [each.created + window, full_hour(each.created) + HOUR + window]
            for time in times:
                minute = _minute_from(time)
                yield from (minute, minute + _MINUTE)

    def _reading(self, now: datetime) -> tuple[Reading, bool]:
        """What is measured at a time, and whether there is anything of the group."""
        range = window_of(self._watch, now)
        while self._coming and self._coming[-1].began < now:
            self._seen.append(self._coming.pop())
        self._seen = [each for each in self._seen if each.is_seen(now, range.start)]
        since = min((each.since for each in self._seen), default=None)
        cell = self._empty if since is None else self._cell((now - since) // _MICROSECOND)
        exists = not self._watch.group_by or since is not None
        return Reading(range, Cell(cell, cell, range.length / DAY)), exists

    def _cell(self, age_us: int) -> Components:
        ages = list(self._empty.ages)
        ages[self._at] = age_us
        return self._empty._replace(ages=tuple(ages))


def _minute_from(time: datetime) -> datetime:
    """The first full minute that is not before a time."""
    minute = time.replace(second=0, microsecond=0)
    return minute if minute == time else minute + _MINUTE


def by_group(
    rows: Iterable[Mapping[str, object]], columns: Sequence[str]
) -> Mapping[Key, list[Standing]]:
    """Returns the rows of each group, by the ids in these columns."""
    groups: dict[Key, list[Standing]] = defaultdict(list)
    for row in rows:
        key = tuple(row[column] for column in columns)
        given = (row["since"], row["began"], row["ended"], row["created"])
        groups[key].append(Standing(*given))  # type: ignore[arg-type,index]
    return groups
