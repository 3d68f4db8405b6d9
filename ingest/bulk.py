"""Loads many events from one process through the intake, in large batches."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access.viewers import Role, Viewer
from ingest.events import Result
from ingest.intake import Intake, IntakeSettings
from ingest.normaliser import TimeWindow
from storage.connections.database import Database
from storage.dimensions import Dictionaries
from storage.keeping.windows import Retention

BATCH_EVENTS = 2_000

# Called with the number of items done and the total.
Progress = Callable[[int, int], None]

# No client waits, so there is time for a database that restarts.
_WAIT_SECONDS = 120.0
_STATEMENT_SECONDS = 60.0
_POOL_SIZE = 3
_LOADER = Viewer("loader", frozenset({Role.ADMIN}), frozenset())
_ANY_TIME = TimeWindow(None, None)


@dataclass(frozen=True, slots=True)
class Target:
    """The database to load into, its retention, and the current time."""

    database_url: str
    now: datetime
    retention: Retention


@asynccontextmanager
async def opened(target: Target) -> AsyncIterator[Database]:
    """Opens a small connection pool to the target."""
    database = await Database.open(
        target.database_url,
        pool_size=_POOL_SIZE,
        statement_timeout_seconds=_STATEMENT_SECONDS,
        application_name="gateway loading",
    )
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def started_intake(database: Database, target: Target) -> AsyncIterator[Intake]:
    """Starts an intake, and stops it at the end."""
    settings = IntakeSettings(wait_seconds=_WAIT_SECONDS, retention=target.retention)
    intake = Intake(database, Dictionaries(database), lambda: target.now, settings=settings)
    await intake.start()
    try:
        yield intake
    finally:
        await intake.stop()


async def send(
    intake: Intake,
    events: Sequence[dict[str, Any]],
    progress: Progress,
    batch_events: int = BATCH_EVENTS,
) -> AsyncIterator[tuple[int, Result]]:
    """Records events batch by batch; yields each event's index and result once committed."""
    progress(0, len(events))
    for start in range(0, len(events), batch_events):
        results = await intake.record(events[start : start + batch_events], _LOADER, _ANY_TIME)
        for result in results:
            yield start + result.index, result
        progress(start + len(results), len(events))
