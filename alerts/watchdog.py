"""The watchdog of the database: while that is away nothing is evaluated, so it tells by itself.

It needs no database: the channel comes from the settings. What it told is stored as transitions of
the platform once the database is back. Workers agree through Redis on the outage and its keys, and
so does one that is started meanwhile; without Redis each tells by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4, uuid5

import structlog

from alerts.delivery.channel import ChannelKind, DeliveryError, Letter, Outside
from alerts.evidence import EVIDENCE, Evidence
from alerts.messages import Action, message_of, plain_item
from alerts.rules import Severity
from alerts.states import Outcome, Transition
from storage.alerts import history
from storage.alerts.history import EventRow
from storage.alerts.outages import Outage, Outages
from storage.connections.database import Database
from storage.errors import GatewayError, Overloaded

log = structlog.get_logger(component="alerts")

TOLD_AFTER = timedelta(seconds=30)
PROBE_SECONDS = 5.0
RULE = "The database does not answer"
# Its events have this in place of a rule's id.
RULE_ID = UUID("0190b6d1-0085-7000-8000-000000000085")

# Returns whether the database answers.
Probe = Callable[[], Awaitable[bool]]


async def answers(database: Database) -> bool:
    """Whether the database answers soon; one whose connections are all in use counts as such."""
    try:
        async with asyncio.timeout(PROBE_SECONDS), database.connection() as connection:
            await connection.fetchval("select 1")
    except Overloaded:
        return True
    except (GatewayError, OSError, TimeoutError):
        return database.pool().is_full
    return True


@dataclass(slots=True)
class _Watched:
    """An outage as this worker sees it; the letters stay the same when sent again."""

    outage: Outage
    letter: Letter | None = None
    back_at: datetime | None = None
    is_recorded: bool = False


class Watchdog:
    """Looks whether the database answers, and tells the operations channel when it does not."""

    def __init__(
        self,
        database: Database,
        probe: Probe,
        channel: ChannelKind | None,
        outside: Outside,
        clock: Callable[[], datetime],
        outages: Outages | None = None,
    ) -> None:
        self._database = database
        self._probe = probe
        self._channel = channel
        self._outside = outside
        self._clock = clock
        self._outages = outages or Outages(None)
        self._watched: _Watched | None = None
        self._is_new = True  # this worker does not know yet what others have told

    async def step(self) -> dict[str, object]:
        """Looks once; returns log fields. A message that is not taken is sent again next time."""
        answers, now = await self._probe(), self._clock()
        if self._is_new:
            self._is_new = False
            known = await self._outages.known()
            if known is not None and known.told_at is not None and not known.is_over:
                self._watched = _Watched(known)
        watched = self._watched
        if watched is None:
            if not answers:
                self._watched = _Watched(Outage(now, uuid4()))
            return {}
        if not answers and not watched.is_recorded:
            watched.back_at = None  # it was there for a moment only
            return await self._go_on(watched, now)
        if watched.outage.told_at is None:
            self._watched = None  # nobody has noticed
            return {}
        return await self._end(watched, now)

    async def _go_on(self, watched: _Watched, now: datetime) -> dict[str, object]:
        if watched.outage.told_at is not None or now - watched.outage.since < TOLD_AFTER:
            return {}
        watched.outage = outage = await self._outages.agree(watched.outage)
        if outage.told_at is not None:
            return {}  # by another worker
        if not await self._outages.is_turn(outage):
            return {}
        seconds = round((now - outage.since).total_seconds())
        text = f"It has not answered for {seconds} seconds. No rule is evaluated meanwhile."
        if not await self._tell(watched, Action.FIRE, RULE, text, now):
            return {}
        watched.outage = replace(outage, told_at=now)
        await self._outages.told(outage, now)
        return {"told": "away"}

    async def _end(self, watched: _Watched, now: datetime) -> dict[str, object]:
        """Tells that it is back, and stores what was told; what fails is done next time."""
        watched.back_at, outage = watched.back_at or now, watched.outage
        known = await self._outages.known()
        if known is not None and known.episode == outage.episode and known.is_over:
            self._watched = None  # another worker has done all of it
            return {}
        if not watched.is_recorded:
            async with self._database.transaction() as connection:
                await history.add(connection, _events(outage, watched.back_at), ())
            watched.is_recorded = True
        if not await self._outages.is_turn(outage):
            return {}
        title = "The database answers again"
        text = f"It was away from {outage.since:%Y-%m-%d %H:%M:%S} UTC on."
        is_told = await self._tell(watched, Action.RESOLVE, title, text, now)
        if is_told:
            self._watched = None
            await self._outages.over(outage)
            return {"told": "back"}
        return {}

    async def _tell(
        self, watched: _Watched, action: Action, title: str, text: str, now: datetime
    ) -> bool:
        """Whether the channel has taken the message, now or before; without one it is logged."""
        if self._channel is None:
            log.error("database_away" if action is Action.FIRE else "database_back", text=text)
            return True
        before, episode = watched.letter, watched.outage.episode
        if before is None or before.message.action is not action:
            item = plain_item(episode, RULE, title, text, now)
            item = replace(
                item,
                action=action,
                severity=Severity.CRITICAL,
                since=watched.outage.since,
                link=self._outside.base_url,
            )
            send_id = uuid5(episode, action.value)  # the same from each worker
            before = watched.letter = Letter(send_id, message_of([item]), now)
        try:
            await self._channel.send(before, self._outside)
        except DeliveryError as error:
            log.error("operations_not_told", title=title, reason=error.detail)
            return False
        return True


def _events(outage: Outage, back_at: datetime) -> list[EventRow]:
    """The history of an outage: when it was told, and when it was over; the same of each worker."""
    told_at = outage.told_at or outage.since
    found = (
        (Transition.FIRING, told_at, Outcome.BREACH),
        (Transition.RESOLVED, back_at, Outcome.CLEAR),
    )
    return [
        EventRow(
            event_id=uuid5(outage.episode, transition.value),
            rule_id=RULE_ID,
            instance="",
            project_id=None,
            episode_id=outage.episode,
            transition=transition.value,
            at=at,
            revision=0,
            severity=Severity.CRITICAL.value,
            labels={"rule": RULE},
            evidence=EVIDENCE.dump_python(
                Evidence(at, outcome, reason=f"Away from {outage.since:%H:%M:%S} UTC on"),
                mode="json",
            ),
        )
        for transition, at, outcome in found
    ]
