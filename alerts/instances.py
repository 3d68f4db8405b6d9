"""Instances: how an evaluation changes the stored state of one, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

from alerts.evidence import EVIDENCE, Evidence
from alerts.rules import StoredRule
from alerts.states import Health, Phase, State, Timing, Transition, advance, told
from storage.alerts import history
from storage.alerts import instances as store
from storage.alerts.changes import publish
from storage.alerts.history import EventRow
from storage.alerts.instances import InstanceRow, Key
from storage.connections.database import Connection

# Ids of episodes and events are derived from what happened, so that a repeat has the same ones.
_NAMESPACE = UUID("5f0a1c5e-9d0b-5a43-8d7e-3a2f6f6c1d90")
_SENT_OF_FLAPPING = {
    Transition.FLAPPING,
    Transition.STEADY,
    Transition.FAILING,
    Transition.RECOVERED,
}
_SENT = {Transition.FIRING, Transition.RESOLVED, Transition.GONE} | _SENT_OF_FLAPPING

Labels = Mapping[str, str]
LONGEST_NAME = 500


@dataclass(slots=True)
class Changes:
    """What a tick writes: instances that changed, their events, and which of these to send.

    Deleted are instances without a rule.
    """

    instances: list[InstanceRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    to_send: set[UUID] = field(default_factory=set)
    deleted: list[Key] = field(default_factory=list)

    async def write(self, connection: Connection) -> int:
        """Writes them, and publishes whose alerts changed; returns how many events are new."""
        await store.write(connection, self.instances)
        await store.delete(connection, self.deleted)
        added = await history.add(connection, self.events, self.to_send)
        if changed := {(event.project_id, event.rule_id) for event in self.events}:
            await publish(connection, changed)
        return len(added)


def instance_name(labels: Labels) -> str:
    """Returns the key of the instance of a group; '' for a rule without groups.

    A long one ends in its digest, as an index of the database takes no longer keys.
    """
    name = "&".join(f"{quote(each)}={quote(labels[each], safe='')}" for each in sorted(labels))
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 65]}~{sha256(name.encode()).hexdigest()}"


def state_of(row: InstanceRow) -> State:
    """Returns the state that is stored in a row."""
    return State(
        phase=Phase(row.phase),
        since=row.since,
        clear_since=row.clear_since,
        health=Health(row.health),
        health_since=row.health_since,
        firings=tuple(map(datetime.fromisoformat, row.firings)),
        flapping=row.flapping,
    )


def episode_of(rule_id: UUID, instance: str, occurrence: str) -> UUID:
    """Returns the id of an episode, which is known by what began it."""
    return uuid5(_NAMESPACE, f"{rule_id}/{instance}/{occurrence}")


def event_of(episode: UUID, transition: Transition) -> UUID:
    """Returns the id of a transition that an episode has once."""
    return uuid5(_NAMESPACE, f"{episode}/{transition}")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation of an instance: what was found, and when.

    Its events are known by its time; with an ``episode``, by that: then a repeat at another time
    has the same ones.
    """

    rule: StoredRule
    instance: str
    evidence: Evidence
    timing: Timing
    now: datetime
    before: datetime | None = None
    episode: UUID | None = None

    def apply(
        self, row: InstanceRow | None, changes: Changes, clear_since: datetime | None = None
    ) -> None:
        """Adds what changes of the stored row, or of an instance that has none.

        With ``clear_since`` it is stored instead of the one that follows.
        """
        state = State.initial(self.now) if row is None else state_of(row)
        outcome = self.evidence.outcome
        after, transition = advance(state, outcome, self.now, self.timing, self.before)
        if clear_since is not None:
            after = replace(after, clear_since=clear_since)
        if after == state and transition is None:
            return
        # One document, so that what is added to it later is in both.
        document = EVIDENCE.dump_python(self.evidence, mode="json")
        changed = self._row(row, after, document)
        changes.instances.append(changed)
        for each in told(state, after, transition):
            # An end belongs to the episode that ends.
            episode = changed.episode_id or (row.episode_id if row is not None else None)
            event = self._event(each, episode, document)
            changes.events.append(event)
            flaps = state.flapping or after.flapping
            if each in (_SENT_OF_FLAPPING if flaps else _SENT):
                changes.to_send.add(event.event_id)

    def _row(self, row: InstanceRow | None, state: State, document: dict[str, Any]) -> InstanceRow:
        evidence, episode = self.evidence, row.episode_id if row is not None else None
        if state.phase is not Phase.FIRING:
            episode = None
        elif episode is None:
            episode = self.episode or self._id(f"episode/{state.since.isoformat()}")
        return InstanceRow(
            rule_id=self.rule.id,
            instance=self.instance,
            project_id=self.rule.project_id,
            labels=evidence.labels,
            phase=int(state.phase),
            since=state.since,
            clear_since=state.clear_since,
            health=int(state.health),
            health_since=state.health_since,
            firings=[fired.isoformat() for fired in state.firings],
            flapping=state.flapping,
            episode_id=episode,
            value=evidence.window.value if evidence.window else None,
            bound=evidence.bound,
            evidence=document,
        )

    def _event(
        self, transition: Transition, episode: UUID | None, document: dict[str, Any]
    ) -> EventRow:
        if self.episode is None:
            id = self._id(f"{transition}/{self.now.isoformat()}")
        else:
            id = event_of(self.episode, transition)
        return EventRow(
            event_id=id,
            rule_id=self.rule.id,
            instance=self.instance,
            project_id=self.rule.project_id,
            episode_id=episode,
            transition=transition,
            at=self.now,
            revision=self.rule.revision,
            severity=self.rule.rule.severity,
            labels=self.evidence.labels,
            evidence=document,
        )

    def _id(self, what: str) -> UUID:
        return episode_of(self.rule.id, self.instance, what)
