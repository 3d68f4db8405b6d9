"""Rules on events: follows the change feed, and fires for what it names.

Whatever the order in which events arrive, and however often the feed is read, each occurrence fires
once: its events have ids that are derived from it. Only what happened within the last hour fires,
and of one rule no more than INSTANCES_AT_MOST at a time; the rest is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from alerts.checking import FACT_OF
from alerts.documents import unknown_name
from alerts.evidence import Evidence
from alerts.happenings import HAPPENED_WITHIN, Happening, Reader
from alerts.instances import Changes, Evaluation, episode_of, event_of
from alerts.leader import Leader
from alerts.left_out import LeftOut
from alerts.memory import Memory
from alerts.rules import INSTANCES_AT_MOST, EventKind, OnEvent, StoredRule
from alerts.states import Health, Outcome, Phase, Timing, Transition
from storage.alerts import history, instances, ticks
from storage.alerts.instances import InstanceRow, Key
from storage.alerts.ticks import Tick
from storage.connections.database import Connection, Database
from storage.dictionaries import Dictionaries
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Fact
from storage.facts.invocations import INVOCATIONS
from storage.feed.feed import FeedPosition, current_position, entities_since

log = structlog.get_logger(component="alerts")

TICK = "events"
# The position is stored so often, if nothing fires meanwhile.
_STORE_AFTER = timedelta(seconds=10)
# What runs is looked at so often.
_LOOK_AFTER = timedelta(seconds=3)
_SLOW = EventKind.DEPLOYMENT_SLOW


_Watcher = tuple[StoredRule, OnEvent]
_Match = tuple[StoredRule, OnEvent, Happening]


@dataclass(slots=True)
class _Step:
    """What one step has found: where the feed is read up to, and what changes."""

    now: datetime
    rules: dict[tuple[EventKind, int | None], list[_Watcher]]  # by kind and project
    positions: dict[str, FeedPosition] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)
    running: set[Key] | None = None  # slow instances, where they have been looked at
    left_out: dict[UUID, int] = field(default_factory=dict)  # by rule, where it has become more
    broken: dict[UUID, str] = field(default_factory=dict)  # by rule, why it cannot be evaluated
    changes: Changes = field(default_factory=Changes)

    @classmethod
    def of(cls, now: datetime, stored: Iterable[StoredRule]) -> _Step:
        step = cls(now, {})
        for rule in stored:
            if not isinstance(on := rule.rule.trigger, OnEvent):
                continue
            if unknown := unknown_name(on):
                step.broken[rule.id] = unknown
            else:
                step.rules.setdefault((on.event, rule.project_id), []).append((rule, on))
        return step

    def projects(self, fact: Fact) -> set[int | None]:
        """The projects whose rules watch a fact; with None, the platform's do."""
        return {project for kind, project in self.rules if FACT_OF[kind] is fact}

    def matches(self) -> Iterator[_Match]:
        """The rules that what has happened concerns."""
        for happening in self.happenings:
            for project_id in dict.fromkeys((happening.project_id, None)):
                for rule, on in self.rules.get((happening.kind, project_id), ()):
                    if self._concerns(happening, rule, on):
                        yield rule, on, happening

    def _concerns(self, happening: Happening, rule: StoredRule, on: OnEvent) -> bool:
        """Whether a rule fires for it; what is wrong with one rule keeps no other from its turn."""
        try:
            return happening.concerns(on)
        except Exception as error:
            log.exception("rule_not_evaluated", rule=str(rule.id))
            self.broken[rule.id] = type(error).__name__
            return False


class OnEvents:
    """Evaluates the rules on events, while this process leads."""

    def __init__(self, database: Database, leader: Leader, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._leader = leader
        self._clock = clock
        self._dictionaries = Dictionaries(database)
        self._memory = Memory(TICK)
        self._positions: dict[str, FeedPosition] | None = None
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        self._left_out = LeftOut(HAPPENED_WITHIN)

    async def step(self, fence: int) -> int:
        """Fires for what has changed since the last step; returns the number of transitions.

        Raises Conflict if another process has taken over; nothing is written then.
        """
        try:
            return await self._step(fence)
        except BaseException:
            self._memory.doubt()
            self._positions, self._left_out = None, LeftOut(HAPPENED_WITHIN)
            raise

    async def _step(self, fence: int) -> int:
        memory, now = self._memory, self._clock()
        await memory.refresh(self._database.fetch, now)
        if self._positions is None:
            stored = memory.tick.position if memory.tick else {}
            self._positions = {fact: _position(numbers) for fact, numbers in stored.items()}
        step = _Step.of(now, memory.rules.values())
        async with self._database.connection() as connection:
            await self._read(connection, step)
            matched = await self._matched(connection, step)
        self._apply(step, matched)
        return await self._write(fence, step)

    async def _read(self, connection: Connection, step: _Step) -> None:
        """Reads what has happened to what the feed names, of the facts that rules watch.

        Of others it notes how far the feed is, so that a new rule misses nothing that comes after
        it.
        """
        reader = Reader(connection, self._dictionaries, step.now)
        for fact in dict.fromkeys(FACT_OF.values()):
            if step.projects(fact):
                await self._follow(reader, fact, step)
            else:
                step.positions[fact.name] = await current_position(connection, fact.name, None)
        watchers = [
            each for (kind, _), some in step.rules.items() if kind is _SLOW for each in some
        ]
        if watchers and abs(step.now - self._looked_at) >= _LOOK_AFTER:
            least = min(on.after_seconds or 0 for _, on in watchers)
            step.happenings += await reader.slow(least)
            step.running, self._looked_at = set(), step.now

    async def _follow(self, reader: Reader, fact: Fact, step: _Step) -> None:
        """Reads the feed of a fact, for all projects so that a new rule begins with the present."""
        assert self._positions is not None
        connection, position = reader.connection, self._positions.get(fact.name)
        if position is None:  # nobody has followed it before: what has happened is history
            position = await current_position(connection, fact.name, None)
        projects = step.projects(fact)
        if fact is INVOCATIONS:
            after = await current_position(connection, fact.name, None)
            changed = {id for id, number in after.items() if position.get(id) != number}
            concerned = changed if None in projects else changed & projects
            if concerned:
                step.happenings += await reader.functions(concerned)
        else:
            keys, after = await entities_since(connection, fact.name, position, None)
            if keys is not None and None not in projects:
                keys = [key for key in keys if key[0] in projects]
            if keys is None or keys:
                kinds = {kind for kind, _ in step.rules}
                step.happenings += await reader.changed(fact, keys, kinds)
        step.positions[fact.name] = after

    async def _matched(self, connection: Connection, step: _Step) -> list[_Match]:
        """The rules that fire or go on firing, and for what; the latest of an instance first."""
        matches = sorted(step.matches(), key=lambda each: each[2].at, reverse=True)
        recent = [each for each in matches if each[2].at_for(each[1]) >= step.now - HAPPENED_WITHIN]
        ids = {_firing(*each) for each in recent}
        known = await history.stored(connection, ids) if ids else set()
        new = {id for id in ids if id not in known}
        return [each for each in matches if self._goes_on(step, each) or _firing(*each) in new]

    def _goes_on(self, step: _Step, match: _Match) -> bool:
        """Whether the instance fires already; notes those that are slow still."""
        rule, _, happening = match
        key = rule.id, happening.instance
        row = self._memory.row(rule, key[1])
        is_firing = row is not None and row.phase == Phase.FIRING
        if is_firing and happening.until is None and step.running is not None:
            step.running.add(key)
        return is_firing

    def _apply(self, step: _Step, matches: Iterable[_Match]) -> None:
        done: set[Key] = set()
        for rule, on, happening in self._with_room(step, matches):
            done.add((rule.id, happening.instance))
            self._happened(step, rule, on, happening)
        for rule_id, reason in step.broken.items():
            done.add((rule_id, ""))
            self._judged(step, self._memory.rules[rule_id], "", Outcome.ERROR, reason)
        for rule_id, rows in self._memory.instances.items():
            current, ended = self._memory.rules.get(rule_id), self._memory.ended.get(rule_id)
            for row in rows.values():
                if current is not None and row.key not in done:
                    self._passed(step, current, row)
                elif ended is not None:
                    self._ended(step, ended, row)

    def _with_room(self, step: _Step, matches: Iterable[_Match]) -> list[_Match]:
        """The latest of each instance; of those that begin to fire as many as a rule may have."""
        active: dict[UUID, set[str]] = {}
        chosen: dict[Key, _Match] = {}
        for match in matches:
            rule, instance = match[0], match[2].instance
            if rule.id not in active:
                active[rule.id] = set(self._memory.active(rule))
            held = active[rule.id]
            if (rule.id, instance) in chosen:
                continue
            if instance in held or len(held) < INSTANCES_AT_MOST:
                held.add(instance)
                chosen[rule.id, instance] = match
            elif self._left_out.add(rule.id, _firing(*match), step.now):
                step.left_out[rule.id] = self._left_out.count(rule.id, step.now)
        return list(chosen.values())

    def _happened(self, step: _Step, rule: StoredRule, on: OnEvent, happening: Happening) -> None:
        instance, until = happening.instance, happening.until
        row = self._memory.row(rule, instance)
        if row is not None and row.clear_since is not None and until is not None:
            if row.phase == Phase.INACTIVE and until <= row.clear_since:
                return  # it belongs to the episode that is over
            until = max(until, row.clear_since)
        subject = happening.subject
        evidence = Evidence(
            as_of=step.now,
            outcome=Outcome.BREACH,
            subject=subject,
            deployment_id=subject.key if subject.kind == DEPLOYMENTS.stem else None,
            labels=happening.labels(on),
            left_out=self._left_out.count(rule.id, step.now),
        )
        episode = episode_of(rule.id, instance, happening.occurrence(on))
        timing = Timing(keep_firing_seconds=on.keep_firing_seconds)
        evaluation = Evaluation(rule, instance, evidence, timing, step.now, episode=episode)
        evaluation.apply(row, step.changes, until)

    def _passed(self, step: _Step, rule: StoredRule, row: InstanceRow) -> None:
        """Ends an instance that fires when its last event was long enough ago."""
        on = rule.rule.trigger
        if not isinstance(on, OnEvent):
            return
        lasts = row.phase == Phase.FIRING and row.clear_since is None
        if not _is_of_event(row) or (lasts and on.event is not _SLOW):
            if row.phase != Phase.INACTIVE:
                self._gone(step, rule, row, "The rule watches something else now.")
            elif row.health != Health.OK:
                self._judged(step, rule, row.instance, Outcome.CLEAR)
            return
        if row.phase != Phase.FIRING:
            return
        if lasts and (step.running is None or row.key in step.running):
            return
        evidence = Evidence(step.now, Outcome.CLEAR, labels=row.labels)
        timing = Timing(keep_firing_seconds=on.keep_firing_seconds)
        evaluation = Evaluation(
            rule, row.instance, evidence, timing, step.now, episode=row.episode_id
        )
        evaluation.apply(row, step.changes, row.clear_since)

    def _judged(
        self, step: _Step, rule: StoredRule, instance: str, outcome: Outcome, reason: str = ""
    ) -> None:
        """Notes whether a rule can be evaluated; that is the health of an instance called ''."""
        reason = f"The rule cannot be evaluated: {reason}" if reason else ""
        tick, row = self._memory.tick, self._memory.row(rule, instance)
        evidence = Evidence(step.now, outcome, reason=reason or None)
        before = tick.evaluated_at if tick else None
        Evaluation(rule, instance, evidence, Timing(), step.now, before).apply(row, step.changes)

    def _ended(self, step: _Step, rule: StoredRule, row: InstanceRow) -> None:
        """Ends the instances of a rule that is no longer evaluated, and then forgets them."""
        if not isinstance(rule.rule.trigger, OnEvent):
            return
        if row.phase == Phase.INACTIVE:
            step.changes.deleted.append(row.key)
        else:
            self._gone(step, rule, row, "The rule is no longer evaluated.")

    def _gone(self, step: _Step, rule: StoredRule, row: InstanceRow, reason: str) -> None:
        evidence = Evidence(step.now, Outcome.GONE, reason=reason, labels=row.labels)
        evaluation = Evaluation(
            rule, row.instance, evidence, Timing(), step.now, episode=row.episode_id
        )
        evaluation.apply(row, step.changes)

    async def _write(self, fence: int, step: _Step) -> int:
        changes, before = step.changes, self._memory.tick
        self._positions = step.positions
        is_due = before is None or abs(step.now - before.evaluated_at) >= _STORE_AFTER
        if not (changes.instances or changes.deleted or step.left_out or is_due):
            return 0
        tick = Tick(TICK, fence, step.now, _document(step.positions))
        async with self._leader.writing(fence) as connection:
            await ticks.write_tick(connection, before, tick)
            added = await changes.write(connection)
            await instances.note_left_out(connection, step.left_out)
        self._memory.remember(changes.instances, changes.deleted, tick)
        return added


def _is_of_event(row: InstanceRow) -> bool:
    """Whether an instance is named as `Happening.instance` is; groups' names have no slash."""
    return "/" in row.instance


def _firing(rule: StoredRule, on: OnEvent, happening: Happening) -> UUID:
    """The id of the event of firing for it."""
    episode = episode_of(rule.id, happening.instance, happening.occurrence(on))
    return event_of(episode, Transition.FIRING)


def _position(numbers: dict[str, Any]) -> FeedPosition:
    return {int(project): number for project, number in numbers.items()}


def _document(positions: dict[str, FeedPosition]) -> dict[str, dict[str, int]]:
    return {
        fact: {str(project): number for project, number in numbers.items()}
        for fact, numbers in positions.items()
    }
