"""Plays a rule back over the answers of its plan: see `alerts.back_test`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from alerts.back_test import Plan
from alerts.conditions import Reading, judge, timing_of
from alerts.evidence import Evidence
from alerts.guards import Cell
from alerts.rules import INSTANCES_AT_MOST
from alerts.sliding import Sliding
from alerts.states import LONGEST_GAP, Outcome, Phase, State, Transition, advance, told
from alerts.windows import baseline_of, window_of
from analytics.answer import Answer, Key
from analytics.components import Components, positions
from analytics.measures import MeasureKind
from analytics.periods import Range
from storage.facts import FACTS

_DAY = timedelta(days=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Firing:
    """A time that an instance would have fired.

    ``ended_at`` is None if it still fires at the end. ``is_told`` is False once it flaps.
    """

    instance: Key
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
    transitions: tuple[tuple[datetime, Key, Transition], ...]
    pages: int
    firing: timedelta
    left_out: int
    notes: tuple[str, ...]


def replay(
    planned: Plan,
    answers: Sequence[Answer],
    labels: Callable[[Key], Mapping[str, str]] = lambda _: {},
) -> BackTest:
    """Returns what the rule would have done, from the answers to the slices of its plan."""
    cells, whole = _cells(answers), _numbered(answers, [each.per_bucket() for each in answers])
    shown, left_out = _shown(planned, cells)
    looks, empty = _spans(planned, answers[0].buckets[0].start), answers[0].zero
    runs = [_Run(planned, key, _Moving(planned, cells.get(key, []), whole, empty)) for key in shown]
    for run in runs:
        run.go(looks, labels(run.instance))
    firings = sorted(
        (firing for run in runs for firing in run.firings), key=lambda each: each.fired_at
    )
    range = Range(planned.looks[0], planned.looks[-1] + planned.step)
    return BackTest(
        range=range,
        step=planned.step,
        firings=tuple(firings),
        transitions=tuple(sorted(each for run in runs for each in run.transitions)),
        pages=sum(firing.is_told for firing in firings),
        firing=_any_of(firings, planned.looks[-1]),
        left_out=left_out,
        notes=planned.notes,
    )


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


def _any_of(firings: Iterable[Firing], last: datetime) -> timedelta:
    """How long at least one of them lasted; they are in the order of their start."""
    sum_, until = timedelta(), _EARLIEST
    for firing in firings:
        ended = firing.ended_at or last
        sum_ += max(timedelta(), ended - max(until, firing.fired_at))
        until = max(until, ended)
    return sum_


@dataclass(frozen=True, slots=True)
class _Span:
    """A time, widened to whole buckets, and their numbers."""

    low: int
    high: int
    range: Range
    days: float


@dataclass(frozen=True, slots=True)
class _Look:
    """A look: what is judged at ``moments[0]`` holds until the next look, at all of these."""

    moments: tuple[datetime, ...]
    window: _Span
    baseline: _Span | None


def _spans(planned: Plan, origin: datetime) -> list[_Look]:
    def span(of: Range) -> _Span:
        low = (of.start - origin) // planned.step
        high = -(-(of.end - origin) // planned.step)
        wide = Range(origin + low * planned.step, origin + high * planned.step, rolling=True)
        return _Span(low, high, wide, wide.length / _DAY)

    watch, later = planned.watch, _later(planned)
    found = []
    for look in planned.looks:
        baseline = baseline_of(watch, look)
        moments = (look, *(look + each for each in later))
        window = span(window_of(watch, look))
        found.append(_Look(moments, window, None if baseline is None else span(baseline)))
    return found


def _later(planned: Plan) -> list[timedelta]:
    """When, before the next look, an instance fires or stops by what the last look found."""
    watch, step = planned.watch, planned.step
    if step <= LONGEST_GAP:
        return []
    waits = {timedelta(seconds=each) for each in (watch.for_seconds, watch.keep_firing_seconds)}
    return sorted(wait for wait in waits if timedelta() < wait < step)


class _Moving:
    """The cells of one group, in its windows and in its baselines."""

    def __init__(self, planned: Plan, cells: _Cells, whole: _Cells, empty: Components) -> None:
        of_shares = planned.measure.kind is MeasureKind.SHARE
        self._window, self._baseline = (
            (Sliding(cells, empty), Sliding(whole, empty) if of_shares else None) for _ in range(2)
        )
        self._empty = empty

    def at(self, look: _Look) -> tuple[Reading, Reading | None]:
        """The readings of a look, which may not be before the last one."""
        before = None if look.baseline is None else _reading(self._baseline, look.baseline)
        return _reading(self._window, look.window), before


def _reading(moving: tuple[Sliding, Sliding | None], span: _Span) -> Reading:
    cell = moving[0].over(span.low, span.high)
    whole = cell if moving[1] is None else moving[1].over(span.low, span.high)
    return Reading(span.range, Cell(cell, whole, span.days))


class _Run:
    """One instance, from the first look to the last."""

    def __init__(self, planned: Plan, instance: Key, moving: _Moving) -> None:
        self.instance = instance
        self.firings: list[Firing] = []
        self.transitions: list[tuple[datetime, Key, Transition]] = []
        self._watch, self._moving = planned.watch, moving
        self._timing = timing_of(planned.watch)
        self._gaps = planned.step <= LONGEST_GAP
        self._state = State.initial(planned.looks[0])
        self._seen: tuple[object, ...] = ()
        self._found = Outcome.CLEAR

    def go(self, looks: Iterable[_Look], labels: Mapping[str, str]) -> None:
        """Looks at all times, in order."""
        before: datetime | None = None
        for look in looks:
            readings = self._moving.at(look)
            outcome = self._outcome(look.moments[0], *readings)
            if outcome is None:
                before = look.moments[-1] if self._gaps else None
                continue
            for moment in look.moments:
                was = self._state
                self._state, found = advance(was, outcome, moment, self._timing, before)
                before = moment if self._gaps else None
                for transition in told(was, self._state, found):
                    self._note(transition, moment)
                    if transition is Transition.FIRING:
                        evidence = judge(self._watch, *readings, moment, labels)
                        self._fire(moment, evidence, is_told=not was.flapping)

    def _outcome(self, now: datetime, window: Reading, baseline: Reading | None) -> Outcome | None:
        """What the look finds; it is judged anew only where the cells have changed.

        None for a group of which there is nothing; while it is wrong, it is judged nevertheless.
        """
        exists = not self._watch.group_by or _has_rows(window) or _has_rows(baseline)
        if not exists and self._state.phase is Phase.INACTIVE:
            return None
        seen = _same(window), None if baseline is None else _same(baseline)
        if seen != self._seen:
            self._seen = seen
            self._found = judge(self._watch, window, baseline, now).outcome
        is_vanished = not exists and self._found is Outcome.BREACH
        return Outcome.NO_DATA if is_vanished else self._found

    def _note(self, transition: Transition, now: datetime) -> None:
        self.transitions.append((now, self.instance, transition))
        if transition in {Transition.RESOLVED, Transition.GONE}:
            self.firings[-1] = replace(self.firings[-1], ended_at=now, ended_by=transition)

    def _fire(self, now: datetime, evidence: Evidence, *, is_told: bool) -> None:
        self.firings.append(Firing(self.instance, now, None, None, is_told, evidence))


def _same(reading: Reading) -> tuple[Components, Components, float]:
    """What is equal of readings whose judgement is; cells that did not change are one object."""
    return reading.cell.components, reading.cell.whole, reading.cell.days


def _has_rows(reading: Reading | None) -> bool:
    return reading is not None and any(reading.cell.components.counts)
