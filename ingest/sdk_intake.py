"""`SdkIntake`: records what Sentry's SDKs send, and counts what is not recorded."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from access.budgets import Budgets
from access.drops import Category, Drops, Reason
from access.project_keys import limit_of, viewer_of
from ingest.events import Code, EventStatus, Result
from ingest.formats.sentry.envelope import Envelope
from ingest.formats.sentry.items import Dropped, SdkEvent, event_id, is_event, read_items
from ingest.scrubbing import scrub_text
from storage.admin import assigned_times
from storage.admin.project_keys import ProjectKey
from storage.connections.database import Database
from storage.errors import InvalidInput, RateLimited, TooLarge

BUDGET = "key_events"

# Records events of the plain format.
Record = Callable[..., Awaitable[list[Result]]]
# Takes a key and an error that was recorded just now.
OnRecorded = Callable[[ProjectKey, SdkEvent], None]

_REASONS: Mapping[Code | None, Reason] = {
    Code.TOO_OLD: Reason.TOO_OLD,
    Code.RATE_LIMITED: Reason.PROJECT_BUDGET,
}


class EventsRefused(RateLimited):
    """Errors and transactions are over a budget; SDKs may go on to send everything else."""


@dataclass(frozen=True, slots=True)
class SdkIntake:
    """Takes the envelopes of all keys."""

    record: Record
    database: Database
    drops: Drops
    budgets: Budgets
    clock: Callable[[], datetime]
    on_recorded: OnRecorded

    async def receive(self, envelope: Envelope, key: ProjectKey) -> UUID | None:
        """Records the envelope's events; returns the id of the first, or of the envelope.

        Raises RateLimited, or Unavailable; where every event is lost by a fault of its own,
        TooLarge or InvalidInput.
        """
        wait_seconds = await self._charge(envelope, key)
        has_room = wait_seconds is None
        read = list(read_items(envelope, key, self.clock(), has_room=has_room))
        dropped = [item for item in read if isinstance(item, Dropped)]
        for item in dropped:
            self.drops.add(key, item.category, item.reason, item.count)
        if wait_seconds is not None:
            message = "The key has sent too many events."
            raise EventsRefused(message, retry_after_seconds=wait_seconds)
        events = [item for item in read if isinstance(item, SdkEvent)]
        if events:
            await self._store(key, events)
            return events[0].event_id
        _raise_for_lost(dropped)
        return event_id(envelope.header.get("event_id"))

    async def _charge(self, envelope: Envelope, key: ProjectKey) -> float | None:
        """Takes the envelope's events from the key's budget before they are read.

        So filters cost the key too. Returns the seconds to wait if it has no room, else None.
        """
        events = sum(is_event(item, key) for item in envelope.items)
        if not events:
            return None
        return await self.budgets.take(BUDGET, key.public_key, limit_of(key), events)

    async def _store(self, key: ProjectKey, events: Sequence[SdkEvent]) -> None:
        try:
            times = await self._times(key, events)
            plain = [
                without_secrets(event).as_plain(key.project, times[event.event_id])
                for event in events
            ]
            size_bytes = sum(event.size_bytes for event in events)
            results = await self.record(plain, viewer_of(key), size_bytes=size_bytes)
        except RateLimited as error:
            self._drop(key, events, Reason.PROJECT_BUDGET)
            wait = error.retry_after_seconds
            raise EventsRefused(error.message, retry_after_seconds=wait) from None
        except Exception:
            self._drop(key, events, Reason.UNAVAILABLE)
            raise
        for event, result in zip(events, results, strict=True):
            self._settle(key, event, result)

    def _settle(self, key: ProjectKey, event: SdkEvent, result: Result) -> None:
        """Counts an event that was not stored, and hands on an error that was."""
        if result.status is EventStatus.DUPLICATE:
            self.drops.add(key, event.category, Reason.DUPLICATE)
        elif result.status is not EventStatus.ACCEPTED:
            reason = _REASONS.get(result.code, Reason.INVALID)
            self.drops.add(key, event.category, reason)
        elif event.category is Category.ERROR:
            self.on_recorded(key, event)

    async def _times(self, key: ProjectKey, events: Sequence[SdkEvent]) -> Mapping[UUID, datetime]:
        """The time of each event; those that depend on the arrival are of the first one."""
        own = {event.event_id: event.time.at for event in events if not event.time.is_assigned}
        new = {event.event_id: event.time.at for event in events if event.time.is_assigned}
        if not new:
            return own
        async with self.database.transaction() as connection:
            now = self.clock()
            assigned = await assigned_times.assign(connection, key.project_id, new, now)
        return {**assigned, **own}

    def _drop(self, key: ProjectKey, events: Sequence[SdkEvent], reason: Reason) -> None:
        for event in events:
            self.drops.add(key, event.category, reason)


def without_secrets(event: SdkEvent) -> SdkEvent:
    """A transaction without what its name and its user tell; errors are scrubbed as a whole."""
    if event.category is not Category.TRANSACTION:
        return event
    clean = {
        name: scrub_text(value) if isinstance(value, str) else value
        for name, value in event.content.items()
    }
    if clean.get("user") != event.content.get("user"):
        del clean["user"]  # all users whose ids are addresses would be one
    return replace(event, content=clean)


def _raise_for_lost(dropped: Sequence[Dropped]) -> None:
    """Tells the sender why the only events were lost, if that is the sender's fault."""
    reasons = {
        item.reason for item in dropped if item.category in (Category.ERROR, Category.TRANSACTION)
    }
    if Reason.TOO_LARGE in reasons:
        raise TooLarge("The event is larger than 1 MiB.", limit="event_bytes")
    if Reason.UNREADABLE in reasons:
        raise InvalidInput("The event is not a JSON object.")
