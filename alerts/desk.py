"""A desk puts what channels are told into sends: in groups, and not more than they take."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from alerts.delivery import KINDS
from alerts.messages import MESSAGE, Action, Item, Message, message_of, summary_of
from alerts.rules import Severity
from storage.alerts.outbox import Last, Receiver, Told
from storage.alerts.sends import COUNTED, MAILS, ORDERED, SUMMARY, Group, NewSend, SendStatus

# Alerts of one rule within this time are one message; after some messages in an hour, a longer one.
GROUPED_WITHIN = timedelta(seconds=2)
QUICK_SENDS = 10
GROUPED_WITHIN_LATER = timedelta(seconds=60)
ITEMS_AT_MOST = 100  # of a message

# With this, an event and a channel give the same id whenever they are told.
_IDS = UUID("0190b6d1-5e0d-7000-8000-a1e27a11e275")
_CLOSING = (Action.RESOLVE, Action.ACKNOWLEDGE)

Key = tuple[UUID, str]  # a channel and a group


@dataclass(slots=True)
class Draft:
    """A send of this dispatch, or one of an earlier one that still waits for more of its group."""

    send_id: UUID
    key: Key
    message: Message
    events: list[str]  # those that are new
    created_at: datetime
    due_at: datetime | None = None
    project_id: int | None = None
    reason: str | None = None  # why it is held back
    is_stored: bool = False

    def row(self) -> NewSend:
        """The send as it is stored."""
        return NewSend(
            send_id=self.send_id,
            project_id=self.project_id,
            channel_id=self.key[0],
            group_key=self.key[1],
            event_ids=self.events,
            message=MESSAGE.dump_python(self.message, mode="json"),
            status=SendStatus.HELD if self.reason else SendStatus.WAITING,
            reason=self.reason,
            created_at=self.created_at,
            due_at=self.due_at,
        )


class Desk:
    """What is to be written at the end of one dispatch, with the counts that it depends on."""

    def __init__(
        self,
        now: datetime,
        groups: Iterable[Group],
        waiting: Mapping[Key, tuple[UUID, Mapping[str, Any]]],
        base_url: str,
    ) -> None:
        self._now = now
        self._base_url = base_url
        self._groups = {(each.channel_id, each.group_key): each for each in groups}
        self._open = {
            key: Draft(send_id, key, MESSAGE.validate_python(message), [], now, is_stored=True)
            for key, (send_id, message) in waiting.items()
        }
        self.drafts = list(self._open.values())
        self.told: dict[Told, str] = {}

    def tell(self, channel: Receiver, item: Item, project_id: int | None, name: str) -> None:
        """Puts an item into a send; `name` makes its id, the same whenever it is told again."""
        kind = KINDS[channel.kind]
        groups, order = kind.GROUPS, ORDERED if kind.KEEPS_STATE else "rule:"
        key = channel.channel_id, f"{order}{item.rule_id if groups else item.episode}"
        waiting = self._open.get(key) if groups else None
        if waiting is not None and len(waiting.message.items) < ITEMS_AT_MOST:
            waiting.message = message_of((*waiting.message.items, item))
            waiting.events.append(str(item.event_id))
        elif item.action not in _CLOSING and not self.has_room(channel, project_id):
            self.hold(channel, item, project_id, "The channel has had its messages of the hour")
            if not kind.KEEPS_STATE:  # nobody would end the incident of a summary
                self._sum_up(channel, item, project_id)
            return
        else:
            due_at = self._due(key) if groups else self._now
            made = self._draft(name, key, message_of([item]), due_at=due_at)
            made.events, made.project_id = [str(item.event_id)], project_id
            made.created_at = self._count(key, project_id)
            self._open[key] = made
        if item.action is not Action.TELL:
            self.told[channel.channel_id, UUID(item.episode)] = item.action.value

    def hold(self, channel: Receiver, item: Item, project_id: int | None, reason: str) -> None:
        """Notes that a channel is not told, and why."""
        key = channel.channel_id, f"rule:{item.rule_id}"
        held = self._draft(f"held:{item.event_id}", key, message_of([item]))
        held.events, held.project_id, held.reason = [str(item.event_id)], project_id, reason

    def _draft(
        self, name: str, key: Key, message: Message, due_at: datetime | None = None
    ) -> Draft:
        made = Draft(uuid5(_IDS, f"{key[0]}:{name}"), key, message, [], self._now, due_at)
        self.drafts.append(made)
        return made

    def has_room(self, channel: Receiver, project_id: int | None) -> bool:
        """Whether a channel takes more this hour: of each project as many, and of the platform."""
        counted = self._counted(channel, project_id)
        return sum(group.sends for group in counted) < channel.sends_per_hour

    def may_repeat(
        self, channel: Receiver, project_id: int | None, severity: Severity, last: Last | None
    ) -> bool:
        """Whether there is room to tell of an alert that still fires.

        While the project's mails to the channel are held back, only for what is critical and known.
        """
        are_held = (channel.channel_id, f"{MAILS}{project_id}") in self._open
        is_reminder = last is not None and severity is Severity.CRITICAL
        return self.has_room(channel, project_id) and (is_reminder or not are_held)

    def _count(self, key: Key, project_id: int | None) -> datetime:
        """Counts a send; returns when it is made, which is later for each of a group."""
        group, made = self._groups.get(key), self._now
        if group is None:
            self._groups[key] = Group(*key, project_id, 1, made, made)
            return made
        made = max(made, group.last_at + timedelta(microseconds=1))
        self._groups[key] = replace(group, sends=group.sends + 1, last_at=made)
        return made

    def _due(self, key: Key) -> datetime:
        group = self._groups.get(key)
        if group is None:
            return self._now
        wait = GROUPED_WITHIN if group.sends < QUICK_SENDS else GROUPED_WITHIN_LATER
        return max(self._now, group.last_at + wait)

    def _counted(self, channel: Receiver, project_id: int | None) -> list[Group]:
        return [
            group
            for (channel_id, key), group in self._groups.items()
            if channel_id == channel.channel_id
            and group.project_id == project_id
            and not key.startswith(SUMMARY)
        ]

    def _sum_up(self, channel: Receiver, item: Item, project_id: int | None) -> None:
        """Counts an item in the one message that follows when the channel has room again."""
        key = channel.channel_id, f"{SUMMARY}{project_id or 'platform'}"
        summary = self._open.get(key)
        if summary is None:
            counted = self._counted(channel, project_id)
            first = min((group.first_at for group in counted), default=self._now)
            name = f"{key[1]}:{first.isoformat()}"
            message = summary_of({}, name, self._now, self._base_url)
            summary = self._draft(name, key, message, due_at=first + COUNTED)
            summary.project_id = project_id
            self._open[key] = summary
        held = Counter(summary.message.held)
        held[item.rule] += 1
        began = summary.message.items[0].at
        summary.message = summary_of(held, str(summary.send_id), began, self._base_url)
        summary.events.append(str(item.event_id))
