"""A small world of rows of every fact, equal at every run, and its writer."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from storage.facts import FACTS
from storage.facts.fact import Append, Entity, Fact
from storage.keeping.partitions import ensure_for
from storage.keeping.windows import Retention
from storage.rollups.statements import (
    SHARED_LOCK,
    append_rows,
    appended_columns,
    lock_rows,
    record_rows,
    write_rows,
    written_columns,
)
from storage.series import OVERFLOW, admit
from tests.analytics.oracle import (
    CANCELLED,
    FAILED,
    IN_PROGRESS,
    ISSUED,
    NOT_ISSUED,
    QUEUED,
    REMOVED,
    RENEWED,
    REQUESTED,
    ROLLED_BACK,
    SUCCEEDED,
    Row,
)

# In the past: no bucket of the world is open. The minutes are those of its last three days.
NOW = datetime(2026, 11, 4, 14, 37, 20, tzinfo=UTC)
KEPT = Retention(events_days=0, error_days=0, log_days=0, fine_days=0, day_days=0, minute_hours=48)

# Clocks change: New York on 8 March and 1 November, Lord Howe on 4 April and 3 October (UTC).
SPANS = (
    (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 4, 10, tzinfo=UTC)),
    (datetime(2026, 9, 28, tzinfo=UTC), NOW),
)
PROJECTS = (11, 12, 13, 14)
# Ids of any dimension; 0 is none. In the series of one project that are beyond the limit, 1.
IDS = (0, 2, 3, 4)
OTHER, CROWDED = 1, 14
_COMBINATIONS_PER_PROJECT = 12
_ROWS = {Entity: 4_000, Append: 2_500}


class World(list[Row]):
    """Rows of a fact, with a short repr for reports of failing tests."""

    def __repr__(self) -> str:
        return f"World of {len(self)}"


# A network of its own, small enough to be counted by hand: the first and last moment of 5 October
# and the first of the 6th.
EXAMPLE_NETWORK = 6
_MIDNIGHT = datetime(2026, 10, 5, tzinfo=UTC)
_LAST = _MIDNIGHT + timedelta(days=1, microseconds=-1)
_NEXT = _MIDNIGHT + timedelta(days=1)


def _example(project: int, status: int, created: datetime, *finish: Any) -> Row:
    ids = {"environment": 2, "network": EXAMPLE_NETWORK, "template": 2, "framework": 2}
    names = ("finished_at", "finish_status", "duration_us")
    own = dict(zip(names, finish or (None, None, None), strict=True))
    state = {"started_at": None, "state_rank": 2 if finish else 0, "state_at": _NEXT}
    return Row(project, ids, {"status": status, "created_at": created, **own, **state})


EXAMPLES = {
    "deployment": (
        _example(11, SUCCEEDED, _MIDNIGHT, _NEXT, SUCCEEDED, 86_400_000_000),
        _example(11, FAILED, _LAST, _LAST, FAILED, 400_000),
        _example(12, ROLLED_BACK, _LAST, _LAST, SUCCEEDED, 600_000),
        _example(12, QUEUED, _NEXT),
    )
}

# The columns of append facts that decide what is counted, or must be given.
_COLUMNS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "build_phase": lambda rng: {
        "build_id": UUID(int=rng.getrandbits(128)),
        "status": rng.choices((0, 1, 2), weights=(8, 2, 1))[0],
    },
    "invocation": lambda rng: {"failed": rng.random() < 0.2, "cold_start": rng.random() < 0.1},
    "error_occurrence": lambda rng: {"fingerprint_id": UUID(int=rng.randrange(50))},
    "api_call": lambda rng: {"status": rng.choice((200, 200, 201, 304, 400, 404, 499, 500, 503))},
    "model_call": lambda rng: {
        "input_tokens": rng.choice((None, 0, 812, 2**31 - 1)),
        "output_tokens": rng.choice((None, 3, 400)),
        "accepted": rng.choice((None, True, True, False)),
    },
    "sample": lambda rng: {"value": Decimal(rng.choice(("0", "-7.25", "1e18", "0.000000001")))},
    "log_line": lambda rng: {"level": rng.choice((1, 2, 2, 3, 3, 3, 4, 5, 6))},
}


# How often an entity has each status; those that end it; the one whose durations are unknown.
_RUN = (
    {QUEUED: 1, IN_PROGRESS: 2, SUCCEEDED: 12, FAILED: 5, CANCELLED: 2, ROLLED_BACK: 2},
    (SUCCEEDED, FAILED, CANCELLED),
    CANCELLED,
)
_LIVES = {
    "certificate": (
        {REQUESTED: 2, ISSUED: 4, RENEWED: 10, NOT_ISSUED: 3, REMOVED: 2},
        (ISSUED, RENEWED, NOT_ISSUED),
        NOT_ISSUED,
    )
}


def make_rows(fact: Fact, seed: int = 7) -> World:
    rng, states = random.Random(f"{fact.name} {seed}"), random.Random(seed)
    combinations = [
        (project, {dimension.name: rng.choice(IDS) for dimension in fact.dimensions})
        for project in PROJECTS
        for _ in range(_COMBINATIONS_PER_PROJECT)
    ]
    others = (CROWDED, {dimension.name: OTHER for dimension in fact.dimensions})
    made = World(EXAMPLES.get(fact.name, ()))
    for _ in range(_ROWS[type(fact)]):
        project, ids = rng.choice(combinations) if rng.random() < 0.97 else others
        if isinstance(fact, Entity):
            own = _entity(fact, rng)
            own |= _state(fact, ids, own, states)
        else:
            own = _event(fact, rng)
        made.append(Row(project, ids, own))
    return made


def _moment(rng: random.Random) -> datetime:
    start, end = SPANS[rng.random() < 0.6]
    if rng.random() < 0.25:
        start = end - timedelta(hours=rng.choice((2, 60)))
    moment = start + (end - start) * rng.random()
    if rng.random() < 0.2:  # on the very edge of a bucket
        moment = moment.replace(minute=rng.choice((0, 30)), second=0, microsecond=0)
    return moment.replace(hour=0) if rng.random() < 0.1 else moment


def _duration_us(fact: Fact, rng: random.Random) -> int:
    shortest = fact.timing.histogram.base_us if fact.timing else 1
    return int(shortest * 2 ** rng.uniform(0, 14))


def _entity(fact: Entity, rng: random.Random) -> dict[str, Any]:
    chances, ends, unmeasured = _LIVES.get(fact.name, _RUN)
    statuses = [int(status) for status in fact.lifecycle.statuses]
    status = rng.choices(statuses, [chances[status] for status in statuses])[0]
    own: dict[str, Any] = {"status": status, "created_at": _moment(rng)}
    undone = status not in ends  # after one of two ends, or before any
    if undone and (status != max(chances) or rng.random() < 0.3):
        return {**own, "finish_status": None}
    finish = rng.choice(ends[:2]) if undone else status
    took_us = _duration_us(fact, rng)
    known = finish != unmeasured and rng.random() < 0.9
    finished_at = own["created_at"] + timedelta(microseconds=took_us)
    duration = {"duration_us": took_us} if known else {}
    return {**own, "finished_at": finished_at, "finish_status": finish, **duration}


def _state(
    fact: Entity, ids: Mapping[str, int], own: Mapping[str, Any], rng: random.Random
) -> dict[str, Any]:
    """When it got its status, when its work began, and what a certificate is for."""
    status, created, finished = own["status"], own["created_at"], own.get("finished_at")
    started = created + timedelta(milliseconds=200) * rng.random()
    rank = fact.lifecycle.rank_of[status]
    after = timedelta(days=20) * rng.random() if rank > fact.lifecycle.finish_rank else timedelta(0)
    waits = status == QUEUED and fact.lifecycle.creation not in fact.lifecycle.starts
    found = {
        "started_at": None if waits else started,
        "state_rank": rank,
        "state_at": (finished or started) + after,
    }
    if fact.expiry is None:
        return found
    environment = str(ids["environment"]) if ids["environment"] else None
    not_after = created + timedelta(days=rng.uniform(-5, 200)) if rng.random() < 0.9 else None
    of = {"domain": str(ids["domain"]), "environment": environment}
    return {**found, **of, "not_after": not_after}


def _event(fact: Fact, rng: random.Random) -> dict[str, Any]:
    own = _COLUMNS[fact.name](rng)
    if fact.timing and rng.random() < 0.9:
        own["duration_us"] = _duration_us(fact, rng)
    return {"occurred_at": _moment(rng), **own}


async def load(connection: asyncpg.Connection, worlds: Mapping[str, Sequence[Row]]) -> None:
    """Writes the rows of all facts as ingest does, with the partitions they need."""
    days = [
        start + timedelta(days=number)
        for start, end in SPANS
        for number in range((end - start).days + 3)
    ]
    for name in worlds:
        await ensure_for(connection, FACTS[name], days, NOW, KEPT)
    await connection.executemany(
        "insert into projects (project_id, slug, name) values ($1, $2, $2)",
        [(project, f"project-{project}") for project in PROJECTS],
    )
    for name, rows in worlds.items():
        await _load(connection, FACTS[name], rows)


async def _load(connection: asyncpg.Connection, fact: Fact, rows: Sequence[Row]) -> None:
    """Writes in two slots, sorted as the locks want it."""
    series = {project: await _series(connection, fact, project, rows) for project in PROJECTS}
    key = [name for name in fact.key if name != "project_id"]
    stored = [
        {
            "project_id": row.project,
            key[-1]: UUID(int=number),
            "series_id": series[row.project].get(_combination(fact, row), OVERFLOW),
            **row.columns,
        }
        for number, row in enumerate(rows, start=1)
    ]
    stored.sort(key=lambda row: [row[name] for name in fact.key])
    middle, floors = len(stored) // 2, KEPT.floors(NOW)
    for slot, batch in enumerate((stored[:middle], stored[middle:])):
        async with connection.transaction():
            await connection.execute(SHARED_LOCK, fact.name)
            if isinstance(fact, Entity):
                keys = [tuple(row[name] for name in fact.key) for row in batch]
                await connection.fetch(lock_rows(fact).text, *lock_rows(fact).arrays(keys))
                values = [tuple(map(row.get, written_columns(fact))) for row in batch]
                await write_rows(connection, fact, values, slot, floors)
            elif isinstance(fact, Append):
                values = [tuple(map(row.get, appended_columns(fact))) for row in batch]
                fresh = await append_rows(connection, fact, values, slot, floors)
                assert len(fresh) == len(batch)
                await record_rows(connection, fact, slot, [key[:2] for key in fresh], ())


def _combination(fact: Fact, row: Row) -> tuple[int, ...]:
    return tuple(row.ids[dimension.name] for dimension in fact.dimensions)


async def _series(
    connection: asyncpg.Connection, fact: Fact, project: int, rows: Sequence[Row]
) -> dict[tuple[int, ...], int]:
    combinations = {_combination(fact, row) for row in rows if row.project == project}
    combinations.discard((OTHER,) * len(fact.dimensions))  # read of the series without a row
    async with connection.transaction():
        return await admit(connection, fact, project, combinations)
