"""Plays a rule on events back over what happened: pure, by the same states as live."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from alerts.evidence import Evidence
from alerts.happenings import Happening
from alerts.replay import Firing
from alerts.rules import INSTANCES_AT_MOST, OnEvent
from alerts.states import FLAPPING_WITHIN, Outcome, Phase, State, Timing, Transition, advance, told
from storage.facts.deployments import DEPLOYMENTS

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class EventReplay:
    """What a rule on events would have done, instance by instance.

    ``left_out`` is the number of occurrences beyond the instances that may fire at a time.
    """

    on: OnEvent
    firings: list[Firing] = field(default_factory=list)
    transitions: list[tuple[datetime, str, Transition]] = field(default_factory=list)
    left_out: int = 0
    _states: dict[str, State] = field(default_factory=dict)
    _firing: dict[str, int] = field(default_factory=dict)  # the place of each in `firings`
    _known: set[tuple[str, str]] = field(default_factory=set)

    def play(self, happenings: Iterable[Happening], end: datetime) -> None:
        """Plays what happened up to an end; what the rule does not watch is left alone."""
        wanted = [each for each in happenings if each.concerns(self.on)]
        for happening in sorted(wanted, key=lambda each: each.at_for(self.on)):
            at = happening.at_for(self.on)
            self._pass_time(at)
            self._happen(happening, at)
        self._pass_time(end)

    @property
    def _timing(self) -> Timing:
        return Timing(keep_firing_seconds=self.on.keep_firing_seconds)

    def _happen(self, happening: Happening, at: datetime) -> None:
        name, until = happening.instance, happening.until
        occurrence = name, happening.occurrence(self.on)
        if name not in self._firing:
            if occurrence in self._known:
                return
            self._known.add(occurrence)
            if len(self._firing) >= INSTANCES_AT_MOST:
                self.left_out += 1
                return
        was = self._states.get(name, State.initial(at))
        if was.clear_since is not None and until is not None:
            if was.phase is Phase.INACTIVE and until <= was.clear_since:
                return  # it belongs to the episode that is over
            until = max(until, was.clear_since)
        state, transition = advance(was, Outcome.BREACH, at, self._timing)
        self._states[name] = state = replace(state, clear_since=until)
        for each in told(was, state, transition):
            self.transitions.append((at, name, each))
            if each is Transition.FIRING:
                self._firing[name] = len(self.firings)
                evidence = self._evidence(happening, at)
                self.firings.append(Firing(name, at, None, None, not was.flapping, evidence))

    def _pass_time(self, now: datetime) -> None:
        """Ends the instances whose last event is long enough ago, in the order of their ends."""
        while due := [(at, name) for name in self._firing if (at := self._due(name)) <= now]:
            at, name = min(due)
            was = self._states[name]
            outcome = Outcome.BREACH if was.clear_since is None else Outcome.CLEAR
            after, transition = advance(was, outcome, at, self._timing)
            self._states[name] = after = replace(after, clear_since=was.clear_since)
            for each in told(was, after, transition):
                self.transitions.append((at, name, each))
                if each is Transition.RESOLVED:
                    place = self._firing.pop(name)
                    self.firings[place] = replace(self.firings[place], ended_at=at, ended_by=each)

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
