"""The dispatcher: what has happened becomes sends.

A transition passes these stages: what a silence, an alert of the platform or its own flapping holds
back is noted as held; what a channel knows already is left out; the rest is put into groups, as
much as the channel takes in an hour, and a summary of what is more.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog

from alerts import stages
from alerts.delivery import KINDS
from alerts.desk import Desk
from alerts.documents import rule_of
from alerts.evidence import EVIDENCE
from alerts.messages import (
    ACTIONS,
    MESSAGE,
    Action,
    Happening,
    Item,
    item_of,
    silence_item,
)
from alerts.rules import Rule, Severity
from alerts.silences import SILENCE, Silence
from alerts.stages import Surroundings
from alerts.states import Transition
from storage.alerts import outbox as store
from storage.alerts import sends, silences
from storage.alerts.instances import Key
from storage.alerts.outbox import Last, Queued, Receiver, Repeats, Told
from storage.connections.database import Connection

log = structlog.get_logger(component="alerts")

TAKEN_AT_ONCE = 200
FIRING_AT_ONCE = 500
# After so many messages other tasks of the process have a turn.
_TOLD_AT_ONCE = 20
# An alert that fires is looked at again after this time, so that its own transition comes first.
SETTLED = timedelta(seconds=10)

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class _Given:
    """A transition, and the channels it may go to."""

    happening: Happening
    channels: Sequence[Receiver]


async def dispatch(connection: Connection, now: datetime, base_url: str) -> int:
    """Makes sends of what waits in the outbox, in this transaction; returns how many waited.

    Does nothing while another transaction dispatches.
    """
    if not await store.become_dispatcher(connection):
        return 0
    taken = await store.take(connection, TAKEN_AT_ONCE)
    if taken:
        await _Dispatch(connection, now, base_url).of_transitions(taken)
    return len(taken)


async def remind(
    connection: Connection, now: datetime, base_url: str, after: Key | None = None
) -> Key | None:
    """Makes sends of alerts that still fire and are to be told (again), in this transaction.

    Those too that were held back when they began, by what has ended since. Silences end that last
    until their alerts are over, and those that end within the hour are told. It looks at
    FIRING_AT_ONCE alerts that are due after one, and returns the last of them; None if there are
    no more.
    """
    if not await store.become_dispatcher(connection):
        return after
    work = _Dispatch(connection, now, base_url)
    firing = await store.due(connection, FIRING_AT_ONCE, after, _repeats(now))
    await work.of_firing([each for each in firing if each.at < now - SETTLED])
    await work.of_silences()
    return firing[-1].key if len(firing) == FIRING_AT_ONCE else None


def _repeats(now: datetime) -> Repeats:
    return Repeats(
        critical_before=now - stages.REPEATED_AFTER_CRITICAL,
        others_before=now - stages.REPEATED_AFTER,
        kinds=[name for name, kind in KINDS.items() if kind.SENDS],
        keep_state=[name for name, kind in KINDS.items() if kind.KEEPS_STATE],
    )


class _Dispatch:
    """One dispatch: reads what the stages need, asks them, and writes the sends."""

    def __init__(self, connection: Connection, now: datetime, base_url: str) -> None:
        self._connection = connection
        self._now = now
        self._base_url = base_url

    async def of_transitions(self, taken: Sequence[Queued]) -> None:
        """Tells each channel of each transition, or notes why not."""
        given = await self._given(taken)
        around = await self._around()
        desk, known = await self._desk(given)
        for count, each in enumerate(given):
            if count % _TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
            for item in self._items(each.happening) if each.channels else ():
                self._place(each, item, around, known, desk)
        await self._write(desk)

    def _place(
        self,
        given: _Given,
        item: Item,
        around: Surroundings,
        known: Mapping[Told, Last],
        desk: Desk,
    ) -> None:
        happening = given.happening
        for channel in given.channels:
            episode = channel.channel_id, happening.episode
            verdict = stages.verdict(
                happening,
                around,
                _known(episode, known, desk, self._now),
                keeps_state=KINDS[channel.kind].KEEPS_STATE,
            )
            if isinstance(verdict, stages.Send):
                desk.tell(channel, item, happening.project_id, str(item.event_id))
            elif isinstance(verdict, stages.Hold):
                desk.hold(channel, item, happening.project_id, verdict.reason)

    async def of_firing(self, firing: Sequence[Queued]) -> None:
        """Tells the channels for which it is time, unless something holds it back."""
        given = await self._given([each for each in firing if not each.flapping])
        around = await self._around()
        desk, known = await self._desk(given)
        for each in given:
            happening = replace(each.happening, at=self._now)
            due = [
                (channel, last)
                for channel in each.channels
                if stages.is_repeat_due(
                    happening.severity,
                    last := known.get((channel.channel_id, happening.episode)),
                    self._now,
                    acknowledged=happening.acknowledged and not KINDS[channel.kind].KEEPS_STATE,
                )
            ]
            if not due or stages.held_back(happening, around):
                continue
            for item in self._items(happening):
                for channel, last in due:
                    # One for which there is no room was counted when it began, and is told later.
                    if desk.may_repeat(channel, happening.project_id, item.severity, last):
                        name = f"{item.event_id}:{(last.at if last else self._now).isoformat()}"
                        desk.tell(channel, item, happening.project_id, name)
            await asyncio.sleep(0)
        await self._write(desk)

    def _items(self, happening: Happening) -> Iterator[Item]:
        """What is told of a transition; nothing, with a line in the log, if that fails."""
        return _readable(lambda each: item_of(each, self._base_url), [happening])

    async def of_silences(self) -> None:
        """Ends silences whose alerts are over, and tells of those that end within the hour."""
        current = (await self._around()).silences
        over = await self._over(current)
        await silences.end(self._connection, over, silences.SYSTEM, self._now)
        for silence in current:
            if silence.ends_soon(self._now) and silence.ending_told_at is None:
                await self._tell_end(silence)

    async def _over(self, current: Iterable[Silence]) -> list[UUID]:
        """The silences that last until their alerts are over, and whose are."""
        left = [
            each for each in current if each.until_resolved and each.starts_at < self._now - SETTLED
        ]
        owners = {each.project_id for each in left}
        projects = None if None in owners else [id for id in owners if id is not None]
        after: Key | None = None
        while left:
            firing = await store.firing(self._connection, FIRING_AT_ONCE, after, projects)
            lasting = [
                (each.project_id, stages.labels_of(each)) for each in _readable(_happening, firing)
            ]
            left = [each for each in left if not any(each.covers(*alert) for alert in lasting)]
            if len(firing) < FIRING_AT_ONCE:
                break
            after = firing[-1].key
            await asyncio.sleep(0)
        return [each.silence_id for each in left]

    async def _tell_end(self, silence: Silence) -> None:
        """Tells the channels of the rules that a silence may be about."""
        rows = await silences.rule_documents(self._connection, silence.project_id)
        rules = list(_readable(lambda row: (row, _rule(row)), rows))
        projects = sorted({row["project_id"] for row, _rule in rules if row["project_id"]})
        by_name = _by_name(await store.receivers(self._connection, projects))
        channels: dict[UUID, Receiver] = {}
        for row, rule in rules:
            if stages.may_cover(silence, rule, row["project"]):
                channels |= _named(rule.channels, row["project_id"], by_name)
        desk = await self._open_desk(list(channels))
        for channel in channels.values():
            if not KINDS[channel.kind].KEEPS_STATE:
                item = silence_item(silence, self._now, channel.project_id)
                item = replace(item, link=self._base_url)
                owner = channel.project_id or silence.project_id
                desk.tell(channel, item, owner, f"ending:{silence.silence_id}")
        await self._write(desk)
        await silences.note_ending_told(self._connection, [silence.silence_id], self._now)

    async def _given(self, taken: Sequence[Queued]) -> list[_Given]:
        """The transitions that can be read, with the channels that are to know of each.

        Those that the rule names; of the end, also those that know of the beginning.
        """
        projects = sorted({each.project_id for each in taken if each.project_id is not None})
        receivers = await store.receivers(self._connection, projects)
        by_name, by_id = _by_name(receivers), {one.channel_id: one for one in receivers}
        closing = [each for each in taken if each.transition in _CLOSING]
        episodes = [each.episode_id for each in closing if each.episode_id]
        told = defaultdict[UUID, set[UUID]](set)
        for channel_id, episode in await store.told_episodes(self._connection, episodes):
            told[episode].add(channel_id)

        def given(queued: Queued) -> _Given:
            happening = _happening(queued)
            channels = _named(happening.rule.channels, happening.project_id, by_name)
            if queued.transition in _CLOSING:
                channels |= {key: by_id[key] for key in told[happening.episode] & by_id.keys()}
            return _Given(happening, tuple(channels.values()))

        return list(_readable(given, taken))

    async def _around(self) -> Surroundings:
        stored = await silences.current(self._connection, self._now)
        current = list(_readable(lambda row: SILENCE.validate_python(dict(row)), stored))
        firing = await store.causes(self._connection)
        causes = _readable(lambda row: stages.cause_of(_rule(row), row["labels"]), firing)
        told = [each for each in causes if stages.is_told(each, current, self._now)]
        return Surroundings(self._now, current, told)

    async def _desk(self, given: Sequence[_Given]) -> tuple[Desk, dict[Told, Last]]:
        channels = sorted({one.channel_id for each in given for one in each.channels})
        episodes = sorted({each.happening.episode for each in given})
        known = await store.told(self._connection, channels, episodes)
        return await self._open_desk(channels), known

    async def _open_desk(self, channels: Sequence[UUID]) -> Desk:
        groups = await sends.groups(self._connection, channels, self._now)
        waiting = await sends.open_sends(self._connection, channels, self._now)
        return Desk(self._now, groups, waiting, self._base_url)

    async def _write(self, desk: Desk) -> None:
        new = [draft.row() for draft in desk.drafts if not draft.is_stored]
        await sends.add(self._connection, new)
        for draft in desk.drafts:
            if draft.is_stored and draft.events:
                message = MESSAGE.dump_python(draft.message, mode="json")
                await sends.enlarge(self._connection, draft.send_id, draft.events, message)
        await store.note_told(self._connection, desk.told, self._now)


# Transitions that tell something new of an episode that is known.
_CLOSING = {
    transition.value
    for transition, action in ACTIONS.items()
    if action in (Action.RESOLVE, Action.ACKNOWLEDGE)
}
_ByName = Mapping[tuple[int | None, str], Receiver]


def _by_name(receivers: Sequence[Receiver]) -> _ByName:
    return {(channel.project_id, channel.name): channel for channel in receivers}


def _named(names: Sequence[str], project_id: int | None, by_name: _ByName) -> dict[UUID, Receiver]:
    """The channels with these names, of the project or else of the platform, by their ids."""
    found = (by_name.get((project_id, name)) or by_name.get((None, name)) for name in names)
    return {
        channel.channel_id: channel
        for channel in found
        if channel and channel.enabled and channel.kind in KINDS and KINDS[channel.kind].SENDS
    }


def _known(episode: Told, known: Mapping[Told, Last], desk: Desk, now: datetime) -> Last | None:
    """What a channel knows of an episode, by what was told it earlier in this dispatch too."""
    if episode in desk.told:
        return Last(desk.told[episode], now)
    return known.get(episode)


def _readable(read: Callable[[Any], Read], stored: Iterable[Any]) -> Iterator[Read]:
    """What can be read. The rest is logged, whatever is wrong: it must not hold up the others."""
    for each in stored:
        try:
            yield read(each)
        except Exception:
            log.exception("unreadable_alert", rule=str(getattr(each, "rule_id", None)))


def _rule(row: Any) -> Rule:
    """The rule of a row with its name and document; one that is unreadable watches nothing."""
    return rule_of(row["name"], row["document"])[0]


def _happening(queued: Queued) -> Happening:
    """A transition with its rule and evidence; raises ValueError if that is unreadable."""
    return Happening(
        event_id=queued.event_id,
        rule_id=queued.rule_id,
        rule=rule_of(queued.name, queued.document)[0],
        project=queued.project,
        instance=queued.instance,
        transition=Transition(queued.transition),
        at=queued.at,
        since=queued.since,
        severity=Severity(queued.severity),
        labels=queued.labels,
        evidence=EVIDENCE.validate_python(queued.evidence),
        project_id=queued.project_id,
        episode_id=queued.episode_id,
        by=queued.by,
        flapping=queued.flapping,
        acknowledged=queued.acknowledged,
    )
