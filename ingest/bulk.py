"""Loads many events from one process through the intake, in large batches."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access.viewers import Role, Viewer
from ingest.events import Result
from ingest.intake import Intake
from ingest.normaliser import TimeWindow
from ingest.wire import event_kind
from ingest.writer import make_partitions
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.facts.fact import Fact
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


async def record_all(
    database: Database,
    target: Target,
    events: Sequence[dict[str, Any]],
    progress: Progress,
    batch_events: int = BATCH_EVENTS,
) -> list[Result]:
    """Records plain events of any age, and commits batch by batch; returns their results."""
    times: dict[Fact, list[datetime]] = {}
    for event in events:
        if kind := event_kind(event["type"]):
            at = datetime.fromisoformat(event["time"])
            times.setdefault(kind.wire.fact, []).append(at)
    await make_partitions(database, times, target.now, target.retention)
    intake = Intake(
        database,
        Dictionaries(database),
        lambda: target.now,
        retention=target.retention,
        wait_seconds=_WAIT_SECONDS,
    )
    await intake.start()
    results: list[Result] = []
    try:
        progress(0, len(events))
        for start in range(0, len(events), batch_events):
            batch = events[start : start + batch_events]
            results += await intake.record(batch, _LOADER, _ANY_TIME)
            progress(len(results), len(events))
    finally:
        await intake.stop()
    return results
