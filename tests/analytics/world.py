"""A small world of deployments, equal at every run, and its writer."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from storage.facts import FACTS
from storage.keeping.partitions import ensure_for
from storage.keeping.windows import Retention
from storage.rollups.statements import SHARED_LOCK, apply, lock_rows
from tests.analytics.oracle import (
    CANCELLED,
    FAILED,
    IN_PROGRESS,
    QUEUED,
    ROLLED_BACK,
    SUCCEEDED,
    Deployment,
)

FACT = FACTS["deployment"]
# In the past: no bucket of the world is open. The minutes are those of its last three days.
NOW = datetime(2026, 11, 4, 14, 37, 20, tzinfo=UTC)
KEPT = Retention(events_days=0, fine_days=0, day_days=0, minute_hours=48)

# Clocks change: New York on 8 March and 1 November, Lord Howe on 4 April and 3 October (UTC).
SPANS = (
    (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 4, 10, tzinfo=UTC)),
    (datetime(2026, 9, 28, tzinfo=UTC), NOW),
)
# (project, environment, network, template, framework); 0 is none, series 1 of a project "other".
_DIMENSIONS = tuple(
    (project, environment, network, template, framework)
    for project in (11, 12, 13, 14)
    for environment in (0, 2, 3)
    for network, template, framework in (
        (2, 2, 2),
        (2, 3, 0),
        (3, 2, 2),
        (3, 4, 3),
        (0, 5, 0),
        (4, 0, 2),
    )
    if (project + environment + network) % 3
)
OVERFLOW = (14, 1, 1, 1, 1)


class World(list[Deployment]):
    """A deployment with a short repr, for reports of failing tests."""

    def __repr__(self) -> str:
        return f"World of {len(self)}"


# A network of its own, small enough to be counted by hand: the first and last moment of 5 October
# and the first of the 6th.
EXAMPLE_NETWORK = 6
_MIDNIGHT = datetime(2026, 10, 5, tzinfo=UTC)
_LAST = _MIDNIGHT + timedelta(days=1, microseconds=-1)
_NEXT = _MIDNIGHT + timedelta(days=1)
_HERE = (2, EXAMPLE_NETWORK, 2, 2)
EXAMPLES = (
    Deployment(11, *_HERE, SUCCEEDED, _MIDNIGHT, _NEXT, SUCCEEDED, 86_400_000_000),
    Deployment(11, *_HERE, FAILED, _LAST, _LAST, FAILED, 400_000),
    Deployment(12, *_HERE, ROLLED_BACK, _LAST, _LAST, SUCCEEDED, 600_000),
    Deployment(12, *_HERE, QUEUED, _NEXT),
)


def make_deployments(count: int = 4_000, seed: int = 7) -> World:
    rng = random.Random(seed)
    return World([*(_deployment(rng) for _ in range(count)), *EXAMPLES])


def _deployment(rng: random.Random) -> Deployment:
    start, end = SPANS[rng.random() < 0.6]
    if rng.random() < 0.25:
        start = end - timedelta(hours=rng.choice((2, 60)))
    created = start + (end - start) * rng.random()
    if rng.random() < 0.2:  # on the very edge of a bucket
        created = created.replace(minute=rng.choice((0, 30)), second=0, microsecond=0)
    if rng.random() < 0.1:
        created = created.replace(hour=0)
    dimensions = rng.choice(_DIMENSIONS) if rng.random() < 0.97 else OVERFLOW
    status = rng.choices(range(6), weights=(1, 2, 12, 5, 2, 2))[0]
    if status in (QUEUED, IN_PROGRESS) or (status == ROLLED_BACK and rng.random() < 0.3):
        return Deployment(*dimensions, status, created)
    finish = rng.choice((SUCCEEDED, FAILED)) if status == ROLLED_BACK else status
    took_us = int(256_000 * 2 ** rng.uniform(0, 14))
    finished = created + timedelta(microseconds=took_us)
    known = finish != CANCELLED and rng.random() < 0.9
    return Deployment(*dimensions, status, created, finished, finish, took_us if known else None)


@dataclass(frozen=True)
class _Row:
    deployment: Deployment
    series_id: int
    deployment_id: UUID

    def values(self) -> dict[str, object]:
        row = self.deployment
        return {
            "project_id": row.project,
            "deployment_id": self.deployment_id,
            "series_id": self.series_id,
            "status": row.status,
            "created_at": row.created_at,
            "finished_at": row.finished_at,
            "finish_status": row.finish_status,
            "duration_us": row.duration_us,
        }


async def load(connection: asyncpg.Connection, deployments: Sequence[Deployment]) -> None:
    """Writes deployments as ingest does, in two slots, with the partitions they need."""
    await _ensure_partitions(connection)
    series = await _admit(connection, deployments)
    rows = [
        _Row(row, series[_dimensions(row)], UUID(int=number))
        for number, row in enumerate(deployments, start=1)
    ]
    rows.sort(key=lambda row: (row.deployment.project, row.deployment_id))
    middle = len(rows) // 2
    for slot, batch in enumerate((rows[:middle], rows[middle:])):
        await _write(connection, [row.values() for row in batch], slot)


async def _ensure_partitions(connection: asyncpg.Connection) -> None:
    days = [
        start + timedelta(days=number)
        for start, end in SPANS
        for number in range((end - start).days + 3)
    ]
    await ensure_for(connection, days, NOW, KEPT)


def _dimensions(row: Deployment) -> tuple[int, ...]:
    return row.project, row.environment, row.network, row.template, row.framework


async def _admit(
    connection: asyncpg.Connection, deployments: Sequence[Deployment]
) -> dict[tuple[int, ...], int]:
    series: dict[tuple[int, ...], int] = {OVERFLOW: 1}
    for number, dimensions in enumerate(sorted({_dimensions(row) for row in deployments}), 2):
        series.setdefault(dimensions, number)
    await connection.executemany(
        "insert into series values ($1, $6, $2, $3, $4, $5)",
        [(*dimensions, number) for dimensions, number in series.items() if number > 1],
    )
    return series


async def _write(
    connection: asyncpg.Connection, rows: Sequence[dict[str, object]], slot: int
) -> None:
    async with connection.transaction():
        await connection.execute(SHARED_LOCK, FACT.name)
        keys = [[row[name] for row in rows] for name in lock_rows(FACT).columns]
        await connection.fetch(lock_rows(FACT).text, *keys)
        arrays = [[row.get(name) for row in rows] for name in apply(FACT).columns]
        floors = KEPT.floors(NOW)
        await connection.fetchval(
            apply(FACT).text, *arrays, slot, floors.minute, floors.fine, floors.day
        )
