"""The dispatcher: what has happened becomes sends; and a test of a channel.

A transition passes these stages: what a silence, an alert of the platform or its own flapping holds
back is noted as held; what a channel knows already is left out; the rest is put into groups, as
much as the channel takes in an hour, and a summary of what is more.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import structlog

from alerts import stages
from alerts.delivery import KINDS
from alerts.delivery.channel import ChannelKind, DeliveryError, Letter, Outside
from alerts.desk import Desk
from alerts.evidence import EVIDENCE
from alerts.messages import (
    MESSAGE,
    Action,
    Happening,
    Item,
    item_of,
    message_of,
    plain_item,
    silence_item,
)
from alerts.rules import RULE, Severity
from alerts.silences import SILENCE, Silence
from alerts.stages import Known, Surroundings
from alerts.states import Transition
from storage.alerts import outbox as store
from storage.alerts import sends, silencing
from storage.alerts.outbox import Firing, Last, Queued, Receiver, Told
from storage.connections.database import Connection

log = structlog.get_logger(component="alerts")

TAKEN_AT_ONCE = 200
# After so many messages other tasks of the process have a turn.
_TOLD_AT_ONCE = 20
# An alert that fires is looked at again after this time, so that its own transition comes first.
SETTLED = timedelta(seconds=10)


Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class _Given:
    """A transition, and the channels it may go to."""

    happening: Happening
    queued: Queued
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


async def remind(connection: Connection, now: datetime, base_url: str) -> None:
    """Makes sends of alerts that still fire and are to be told (again), in this transaction.

    Those too that were held back when they began, by what has ended since. Silences end that last
    until their alerts are over, and those that end within the hour are told.
    """
    if not await store.become_dispatcher(connection):
        return
    work = _Dispatch(connection, now, base_url)
    firing = await store.firing(connection)
    await work.of_firing([each for each in firing if each.queued.at < now - SETTLED])
    await work.of_silences([each.queued for each in firing])


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
            happening, queued = each.happening, each.queued
            item = self._item(happening) if each.channels else None
            if item is None:
                continue
            for channel in each.channels:
                episode = channel.channel_id, happening.episode
                verdict = stages.verdict(
                    happening,
                    around,
                    _known(episode, known, desk, self._now),
                    is_flapping=queued.flapping,
                    keeps_state=KINDS[channel.kind].KEEPS_STATE,
                )
                if isinstance(verdict, stages.Send):
                    desk.tell(channel, item, queued.project_id, str(item.event_id))
                elif isinstance(verdict, stages.Hold):
                    desk.hold(channel, item, queued.project_id, verdict.reason)
        await self._write(desk)

    async def of_firing(self, firing: Sequence[Firing]) -> None:
        """Tells the channels for which it is time, unless something holds it back."""
        acknowledged = {each.queued.event_id for each in firing if each.acknowledged}
        steady = [each.queued for each in firing if not each.queued.flapping]
        given = await self._given(steady, self._now)
        around = await self._around()
        desk, known = await self._desk(given)
        for each in given:
            happening = each.happening
            is_acknowledged = happening.event_id in acknowledged
            due = [
                channel
                for channel in each.channels
                if stages.is_repeat_due(
                    happening.severity,
                    _as_known(known.get((channel.channel_id, happening.episode))),
                    self._now,
                    acknowledged=is_acknowledged and not KINDS[channel.kind].KEEPS_STATE,
                )
            ]
            if not due or stages.held_back(happening, around):
                continue
            if (item := self._item(happening)) is None:
                continue
            for channel in due:
                last = known.get((channel.channel_id, happening.episode))
                name = f"{happening.event_id}:{last[1].isoformat() if last else 'late'}"
                desk.tell(channel, item, each.queued.project_id, name)
            await asyncio.sleep(0)
        await self._write(desk)

    def _item(self, happening: Happening) -> Item | None:
        """What is told of a transition; None, and a line in the log, if that fails."""
        items = _readable(lambda each: item_of(each, self._base_url), [happening])
        return next(items, None)

    async def of_silences(self, firing: Sequence[Queued]) -> None:
        """Ends silences whose alerts are over, and tells of those that end within the hour."""
        silences = (await self._around()).silences
        lasting = list(_readable(_happening, firing))
        over = [
            silence.silence_id
            for silence in silences
            if silence.until_resolved
            and silence.starts_at < self._now - SETTLED
            and not any(silence.covers(each.project_id, stages.labels_of(each)) for each in lasting)
        ]
        await silencing.end(self._connection, over, self._now)
        for silence in silences:
            if silence.ends_soon(self._now) and silence.ending_told_at is None:
                await self._tell_end(silence)

    async def _tell_end(self, silence: Silence) -> None:
        """Tells the channels of the rules that a silence may be about."""
        rows = await silencing.rule_documents(self._connection, silence.project_id)
        rules = list(_readable(lambda row: (row, RULE.validate_python(row["document"])), rows))
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
        await silencing.note_ending_told(self._connection, [silence.silence_id], self._now)

    async def _given(self, taken: Sequence[Queued], at: datetime | None = None) -> list[_Given]:
        """What can be told of the transitions, at another time if given, and to which channels."""
        projects = sorted({each.project_id for each in taken if each.project_id is not None})
        by_name = _by_name(await store.receivers(self._connection, projects))

        def given(queued: Queued) -> _Given:
            happening = _happening(queued)
            happening = replace(happening, at=at or happening.at)
            named = _named(happening.rule.channels, happening.project_id, by_name)
            return _Given(happening, queued, tuple(named.values()))

        return list(_readable(given, taken))

    async def _around(self) -> Surroundings:
        silences = _readable(
            lambda row: SILENCE.validate_python(dict(row)),
            await silencing.current(self._connection, self._now),
        )
        causes = _readable(
            lambda row: stages.cause_of(RULE.validate_python(row["document"]), row["labels"]),
            await store.causes(self._connection),
        )
        return Surroundings(self._now, list(silences), list(causes))

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


def _known(episode: Told, known: Mapping[Told, Last], desk: Desk, now: datetime) -> Known | None:
    """What a channel knows of an episode, by what was told it earlier in this dispatch too."""
    if episode in desk.told:
        return Known(Action(desk.told[episode]), now)
    return _as_known(known.get(episode))


def _as_known(last: Last | None) -> Known | None:
    return None if last is None else Known(Action(last[0]), last[1])


def _readable(read: Callable[[Any], Read], stored: Iterable[Any]) -> Iterator[Read]:
    """What can be read. The rest is logged, whatever is wrong: it must not hold up the others."""
    for each in stored:
        try:
            yield read(each)
        except Exception:
            log.exception("unreadable_alert", rule=str(getattr(each, "rule_id", None)))


def _happening(queued: Queued) -> Happening:
    """A transition with its rule and evidence; raises ValueError if it is unreadable."""
    return Happening(
        event_id=queued.event_id,
        rule_id=queued.rule_id,
        rule=RULE.validate_python(queued.document),
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
    )


def failure_of(error: Exception) -> str:
    """What is told and logged of a failure that no receiver caused: its text may hold secrets."""
    return f"The message could not be sent ({type(error).__name__})."


@dataclass(frozen=True, slots=True)
class TestResult:
    """What became of a test; ``detail`` is the receiver's answer, or why there is none."""

    is_delivered: bool
    detail: str
    duration_ms: int


async def send_test(
    channel: ChannelKind,
    outside: Outside,
    *,
    name: str,
    project: str | None,
    owners: tuple[str, ...] = (),
    now: datetime,
) -> TestResult:
    """Sends one message that says it is a test, once and within seconds.

    The result shows no secret. Receivers with incidents of their own get one that is resolved
    at once.
    """
    began = time.perf_counter()
    actions = (Action.FIRE, Action.RESOLVE) if channel.KEEPS_STATE else (Action.TELL,)
    episode, details = uuid4(), list[str]()
    try:
        for action in actions:
            item = _test_item(action, episode, name, project, now)
            message = message_of([replace(item, link=outside.base_url)])
            letter = Letter(uuid4(), message, now, owners)
            details.append(await channel.send(letter, outside))
    except DeliveryError as error:
        return TestResult(False, error.detail, _since(began))
    except Exception as error:  # noqa: BLE001 - the text of an error may hold a secret
        log.error("test_not_sent", kind=channel.NAME, reason=failure_of(error))
        return TestResult(False, failure_of(error), _since(began))
    return TestResult(True, details[0], _since(began))


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _test_item(
    action: Action, episode: UUID, name: str, project: str | None, now: datetime
) -> Item:
    text = "Somebody tests whether messages arrive here. Nothing is wrong."
    item = plain_item(episode, "Test", f"Test of the channel {name}", text, now)
    return replace(item, action=action, project=project)
