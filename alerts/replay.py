"""Plays a rule back over the answers of its plan: see `alerts.back_test`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from alerts.back_test import Plan
from alerts.conditions import Reading, judge, outcome_of, timing_of
from alerts.evidence import Evidence
from alerts.guards import Cell
from alerts.rules import INSTANCES_AT_MOST
from alerts.sliding import Sliding
from alerts.states import (
    LONGEST_GAP,
    Health,
    Outcome,
    Phase,
    State,
    Timing,
    Transition,
    advance,
    told,
)
from alerts.windows import baseline_of, window_of
from analytics.answer import Answer, Key
from analytics.components import Components, positions
from analytics.measures import MeasureKind
from analytics.periods import Range
from storage.facts import FACTS
from storage.times import DAY

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Firing:
    """A time that an instance would have fired: a group by its key, or a subject by its name.

    ``ended_at`` is None if it still fires at the end. ``is_told`` is False once it flaps.
    """

    instance: Key | str
    fired_at: datetime
    ended_at: datetime | None
    ended_by: Transition | None
    is_told: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class BackTest:
    """What a rule would have done from the first look to the last, ``step`` apart.

    ``pages`` are the messages that something is wrong; ``firing`` is how long any instance fired.
    ``left_out`` is the number of groups beyond the limit. ``notes`` say in sentences where it is
    coarser than live.
    """

    range: Range
    step: timedelta
    firings: tuple[Firing, ...]
    transitions: tuple[tuple[datetime, Key | str, Transition], ...]
    pages: int
    firing: timedelta
    left_out: int
    notes: tuple[str, ...]


class Tape:
    """What instances do as they are played back, one after another or all together."""

    def __init__(self, timing: Timing) -> None:
        self.firings: list[Firing] = []
        self.transitions: list[tuple[datetime, Key | str, Transition]] = []
        self.firing: dict[Any, int] = {}  # the place of each that fires in `firings`
        self._timing = timing

    def advance(
        self,
        instance: Key | str,
        state: State,
        outcome: Outcome,
        at: datetime,
        evidence: Callable[[], Evidence] | None = None,
        before: datetime | None = None,
    ) -> State:
        """Advances an instance, and notes what it tells; one that may fire needs ``evidence``."""
        after, found = advance(state, outcome, at, self._timing, before)
        for transition in told(state, after, found):
            self.transitions.append((at, instance, transition))
            if transition is Transition.FIRING:
                assert evidence is not None
                self.firing[instance] = len(self.firings)
                is_told = not state.flapping
                self.firings.append(Firing(instance, at, None, None, is_told, evidence()))
            elif transition in {Transition.RESOLVED, Transition.GONE}:
                place = self.firing.pop(instance)
                ended = replace(self.firings[place], ended_at=at, ended_by=transition)
                self.firings[place] = ended
        return after

    def sort(self) -> None:
        """Brings into the order of time what instances did one after another."""
        self.firings.sort(key=lambda each: each.fired_at)
        self.transitions.sort()

    def back_test(
        self,
        range: Range,
        step: timedelta,
        left_out: int,
        notes: Sequence[str],
        until: datetime | None = None,
    ) -> BackTest:
        """Returns what was played; what still fires has done so up to ``until``, by default the end
        of the range."""
        return BackTest(
            range=range,
            step=step,
            firings=tuple(self.firings),
            transitions=tuple(self.transitions),
            pages=sum(firing.is_told for firing in self.firings),
            firing=_time_of_any(self.firings, until or range.end),
            left_out=left_out,
            notes=tuple(notes),
        )


def replay(
    planned: Plan,
    answers: Sequence[Answer],
    labels: Callable[[Key], Mapping[str, str]] = lambda _: {},
) -> BackTest:
    """Returns what the rule would have done, from the answers to the slices of its plan."""
    cells, whole = _cells(answers), list[tuple[int, Components]]()
    if planned.measure.kind is MeasureKind.SHARE:
        whole = _numbered(answers, [each.per_bucket() for each in answers])
    shown, left_out = _shown(planned, cells)
    looks, empty = _spans(planned), answers[0].zero
    tape = Tape(timing_of(planned.watch))
    for key in shown:
        run = _Run(planned, cells.get(key, []), whole, empty)
        run.go(looks, tape, key, labels(key))
    tape.sort()
    first, last = planned.looks[0], planned.looks[-1]
    span = Range(first, last + planned.step)
    return tape.back_test(span, planned.step, left_out, planned.notes, until=last)


_Cells = list[tuple[int, Components]]


def _numbered(answers: Sequence[Answer], rows: Iterable[Sequence[Components] | None]) -> _Cells:
    """The cells with rows, numbered through all answers."""
    found: _Cells = []
    offset = 0
    for answer, cells in zip(answers, rows, strict=True):
        found += [
            (offset + number, cell)
            for number, cell in enumerate(cells or ())
            if any(cell.counts) or cell.peaks
        ]
        offset += len(answer.buckets)
    return found


def _cells(answers: Sequence[Answer]) -> dict[Key, _Cells]:
    keys = dict.fromkeys(key for answer in answers for key in answer.rows)
    return {key: _numbered(answers, [answer.rows.get(key) for answer in answers]) for key in keys}


def _shown(planned: Plan, cells: Mapping[Key, _Cells]) -> tuple[list[Key], int]:
    """The groups with most rows, and how many more there are."""
    if not planned.watch.group_by:
        return [()], 0
    fact = FACTS[planned.measure.fact]
    at = positions(fact)[fact.leading]
    by_size = sorted(cells, key=lambda key: (-sum(c.counts[at] for _, c in cells[key]), key))
    return by_size[:INSTANCES_AT_MOST], len(by_size[INSTANCES_AT_MOST:])


def _time_of_any(firings: Iterable[Firing], last: datetime) -> timedelta:
    """How long at least one of them lasted; they are in the order of their start."""
    sum_, until = timedelta(), _EARLIEST
    for firing in firings:
        ended = firing.ended_at or last
        sum_ += max(timedelta(), ended - max(until, firing.fired_at))
        until = max(until, ended)
    return sum_


@dataclass(frozen=True, slots=True)
class _Span:
    """The buckets of a time, from one up to, not including, another."""

    low: int
    high: int
    range: Range

    @classmethod
    def of(cls, planned: Plan, time: Range) -> _Span:
        """A time, widened to whole buckets."""
        origin, step = planned.origin, planned.step
        low, high = (time.start - origin) // step, -(-(time.end - origin) // step)
        return cls(low, high, Range(origin + low * step, origin + high * step, rolling=True))

    def reading(self, sums: _Sums) -> Reading:
        """What is measured in it."""
        return Reading(self.range, Cell(sums.cell, sums.whole, self.range.length / DAY))


@dataclass(frozen=True, slots=True)
class _Look:
    """A look: what is judged at ``moments[0]`` holds until the next look, at all of these."""

    moments: tuple[datetime, ...]
    window: _Span
    baseline: _Span | None


def _spans(planned: Plan) -> list[_Look]:
    """The times that each look needs."""
    watch, later, found = planned.watch, _later(planned), []
    for look in planned.looks:
        baseline = baseline_of(watch, look)
        moments = (look, *(look + each for each in later))
        window = _Span.of(planned, window_of(watch, look))
        before = None if baseline is None else _Span.of(planned, baseline)
        found.append(_Look(moments, window, before))
    return found


def _later(planned: Plan) -> list[timedelta]:
    """When, before the next look, an instance fires or stops by what the last look found."""
    watch, step = planned.watch, planned.step
    if step <= LONGEST_GAP:
        return []
    waits = {timedelta(seconds=each) for each in (watch.for_seconds, watch.keep_firing_seconds)}
    return sorted(wait for wait in waits if timedelta() < wait < step)


@dataclass(frozen=True, slots=True)
class _Sums:
    """The sum of a group and that of all groups, which a share is relative to."""

    cell: Components
    whole: Components

    @property
    def has_rows(self) -> bool:
        return any(self.cell.counts)


def _readings(look: _Look, sums: tuple[_Sums, _Sums | None]) -> tuple[Reading, Reading | None]:
    window, baseline = look.window.reading(sums[0]), None
    if sums[1] is not None and look.baseline is not None:
        baseline = look.baseline.reading(sums[1])
    return window, baseline


class _Moving:
    """The cells of one group, in its windows or in its baselines."""

    def __init__(self, planned: Plan, cells: _Cells, whole: _Cells, empty: Components) -> None:
        of_shares = planned.measure.kind is MeasureKind.SHARE
        self._cells = Sliding(cells, empty)
        self._whole = Sliding(whole, empty) if of_shares else None
        self._sums = _Sums(empty, empty)

    def over(self, span: _Span) -> _Sums:
        """Returns the sums of a time; the same object as long as they are the same."""
        cell = self._cells.over(span.low, span.high)
        whole = cell if self._whole is None else self._whole.over(span.low, span.high)
        if cell is not self._sums.cell or whole is not self._sums.whole:
            self._sums = _Sums(cell, whole)
        return self._sums


class _Seen(NamedTuple):
    """What a look finds of a group, and whether there is anything of it."""

    outcome: Outcome
    exists: bool


class _Run:
    """One instance, from the first look to the last."""

    def __init__(self, planned: Plan, cells: _Cells, whole: _Cells, empty: Components) -> None:
        self._planned, self._watch = planned, planned.watch
        self._window = _Moving(planned, cells, whole, empty)
        self._baseline = _Moving(planned, cells, whole, empty)
        self._state = State.initial(planned.looks[0])

    def go(self, looks: Iterable[_Look], tape: Tape, key: Key, labels: Mapping[str, str]) -> None:
        """Looks at all times, in order."""
        seen: tuple[_Sums, _Sums | None] | None = None
        before: datetime | None = None
        settled, found = False, _Seen(Outcome.CLEAR, exists=False)
        for look in looks:
            baseline = None if look.baseline is None else self._baseline.over(look.baseline)
            sums = self._window.over(look.window), baseline
            if seen is None or sums[0] is not seen[0] or sums[1] is not seen[1]:
                seen, last = sums, found
                found = self._seen(look, sums)
                settled = settled and found == last
            if not settled:
                evidence = partial(self._evidence, look, sums, labels)
                play = partial(tape.advance, key, evidence=evidence, before=before)
                settled = self._advance(look, found, play)
            before = look.moments[-1] if self._planned.step <= LONGEST_GAP else None

    def _advance(
        self, look: _Look, seen: _Seen, play: Callable[[State, Outcome, datetime], State]
    ) -> bool:
        """Advances; returns whether nothing changes any more as long as the same is seen."""
        if not seen.exists and self._state.phase is Phase.INACTIVE:
            return True
        outcome = seen.outcome
        if not seen.exists and outcome is Outcome.BREACH:
            outcome = Outcome.NO_DATA  # a group of which there is nothing cannot stay wrong
        first = self._state
        for moment in look.moments:
            self._state = play(self._state, outcome, moment)
        return self._state == first and not waits(first)

    def _seen(self, look: _Look, sums: tuple[_Sums, _Sums | None]) -> _Seen:
        exists = not self._watch.group_by or any(each.has_rows for each in sums if each)
        return _Seen(outcome_of(self._watch, *_readings(look, sums)), exists)

    def _evidence(
        self, look: _Look, sums: tuple[_Sums, _Sums | None], labels: Mapping[str, str]
    ) -> Evidence:
        return judge(self._watch, *_readings(look, sums), look.moments[0], labels)


def waits(state: State) -> bool:
    """Returns whether a state may change by time alone."""
    is_waiting = state.phase is Phase.PENDING or state.clear_since is not None
    is_ill = state.phase is not Phase.INACTIVE and state.health is not Health.OK
    return is_waiting or is_ill or state.flapping
