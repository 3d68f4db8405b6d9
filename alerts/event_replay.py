"""Plays a rule on events back over what happened: pure, by the same states as live."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from alerts.evidence import Evidence
from alerts.happenings import Happening
from alerts.replay import Tape
from alerts.rules import INSTANCES_AT_MOST, OnEvent
from alerts.states import FLAPPING_WITHIN, Outcome, Phase, State, Timing
from storage.facts.deployments import DEPLOYMENTS

_NEVER = datetime.max.replace(tzinfo=UTC)


class EventReplay(Tape):
    """What a rule on events would have done, all instances together.

    ``left_out`` is the number of occurrences beyond the instances that may fire at a time.
    """

    def __init__(self, on: OnEvent) -> None:
        super().__init__(Timing(keep_firing_seconds=on.keep_firing_seconds))
        self.on = on
        self.left_out = 0
        self._states: dict[str, State] = {}
        self._known: set[tuple[str, str]] = set()

    def play(self, happenings: Iterable[Happening], end: datetime) -> None:
        """Plays what happened up to an end; what the rule does not watch is left alone."""
        wanted = [each for each in happenings if each.concerns(self.on)]
        for happening in sorted(wanted, key=lambda each: each.at_for(self.on)):
            at = happening.at_for(self.on)
            self._pass_time(at)
            self._happen(happening, at)
        self._pass_time(end)

    def _happen(self, happening: Happening, at: datetime) -> None:
        name, until = happening.instance, happening.until
        occurrence = name, happening.occurrence(self.on)
        if name not in self.firing:
            if occurrence in self._known:
                return
            self._known.add(occurrence)
            if len(self.firing) >= INSTANCES_AT_MOST:
                self.left_out += 1
                return
        was = self._states.get(name, State.initial(at))
        if was.clear_since is not None and until is not None:
            if was.phase is Phase.INACTIVE and until <= was.clear_since:
                return  # it belongs to the episode that is over
            until = max(until, was.clear_since)
        evidence = partial(self._evidence, happening, at)
        after = self.advance(name, was, Outcome.BREACH, at, evidence)
        self._states[name] = replace(after, clear_since=until)

    def _pass_time(self, now: datetime) -> None:
        """Ends the instances whose last event is long enough ago, in the order of their ends."""
        while due := [(at, name) for name in self.firing if (at := self._due(name)) <= now]:
            at, name = min(due)
            was = self._states[name]
            outcome = Outcome.BREACH if was.clear_since is None else Outcome.CLEAR
            after = self.advance(name, was, outcome, at)
            self._states[name] = replace(after, clear_since=was.clear_since)

    def _due(self, name: str) -> datetime:
        """When a firing instance changes if nothing happens: it ends, or flaps no longer."""
        state, keep = self._states[name], timedelta(seconds=self.on.keep_firing_seconds)
        ends = _NEVER if state.clear_since is None else state.clear_since + keep
        return min(ends, state.since + FLAPPING_WITHIN) if state.flapping else ends

    def _evidence(self, happening: Happening, at: datetime) -> Evidence:
        subject = happening.subject
        return Evidence(
            as_of=at,
            outcome=Outcome.BREACH,
            subject=subject,
            deployment_id=subject.key if subject.kind == DEPLOYMENTS.stem else None,
            labels=happening.labels(self.on),
            left_out=self.left_out,
        )
