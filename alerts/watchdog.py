"""The watchdog of the database: while that is away nothing is evaluated, so it tells by itself.

It needs no database: the channel comes from the settings. What it told is stored as transitions of
the platform once the database is back.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog

from alerts.delivery.channel import ChannelKind, DeliveryError, Letter, Outside
from alerts.evidence import EVIDENCE, Evidence
from alerts.messages import Action, message_of, plain_item
from alerts.rules import Severity
from alerts.states import Outcome, Transition
from storage.alerts import history
from storage.alerts.history import EventRow
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
class _Outage:
    """The time for which the database is away; the letters stay the same when sent again."""

    since: datetime
    episode: UUID
    told_at: datetime | None = None
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
    ) -> None:
        self._database = database
        self._probe = probe
        self._channel = channel
        self._outside = outside
        self._clock = clock
        self._outage: _Outage | None = None

    async def step(self) -> dict[str, object]:
        """Looks once; returns log fields. A message that is not taken is sent again next time."""
        answers, now = await self._probe(), self._clock()
        outage = self._outage
        if outage is None:
            if not answers:
                self._outage = _Outage(now, uuid4())
            return {}
        if not answers and outage.back_at is None:
            return await self._go_on(outage, now)
        if outage.told_at is None:
            self._outage = None  # nobody has noticed
            return {}
        return await self._end(outage, now, answers=answers)

    async def _go_on(self, outage: _Outage, now: datetime) -> dict[str, object]:
        if outage.told_at is not None or now - outage.since < TOLD_AFTER:
            return {}
        seconds = round((now - outage.since).total_seconds())
        text = f"It has not answered for {seconds} seconds. No rule is evaluated meanwhile."
        if await self._tell(outage, Action.FIRE, RULE, text, now):
            outage.told_at = now
            return {"told": "away"}
        return {}

    async def _end(self, outage: _Outage, now: datetime, *, answers: bool) -> dict[str, object]:
        """Tells that it is back, and stores what was told; what fails is done next time."""
        outage.back_at = outage.back_at or now
        if not outage.is_recorded and answers:
            async with self._database.transaction() as connection:
                await history.add(connection, _events(outage), ())
            outage.is_recorded = True
        text = f"It was away from {outage.since:%Y-%m-%d %H:%M:%S} UTC on."
        is_told = await self._tell(outage, Action.RESOLVE, "The database answers again", text, now)
        if is_told and outage.is_recorded:
            self._outage = None
            return {"told": "back"}
        return {}

    async def _tell(
        self, outage: _Outage, action: Action, title: str, text: str, now: datetime
    ) -> bool:
        """Whether the channel has taken the message, now or before; without one it is logged."""
        if self._channel is None:
            log.error("database_away" if action is Action.FIRE else "database_back", text=text)
            return True
        before = outage.letter
        if before is None or before.message.action is not action:
            item = plain_item(outage.episode, RULE, title, text, now)
            item = replace(
                item,
                action=action,
                severity=Severity.CRITICAL,
                since=outage.since,
                link=self._outside.base_url,
            )
            before = outage.letter = Letter(uuid4(), message_of([item]), now)
        try:
            await self._channel.send(before, self._outside)
        except DeliveryError as error:
            log.error("operations_not_told", title=title, reason=error.detail)
            return False
        return True


def _events(outage: _Outage) -> list[EventRow]:
    """The history of an outage: when it was told, and when it was over."""
    told_at, back_at = outage.told_at or outage.since, outage.back_at or outage.since
    found = (
        (Transition.FIRING, told_at, Outcome.BREACH),
        (Transition.RESOLVED, back_at, Outcome.CLEAR),
    )
    return [
        EventRow(
            event_id=uuid4(),
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
