"""Deployments and rows of append facts, written as ingest does, to see what becomes of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Column

from storage.connections.database import Connection, Database
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Append, Fact, Floors
from storage.facts.lifecycle import Status
from storage.keeping.partitions import ensure, partitioned_tables
from storage.rollups.repair import Difference, recount_day
from storage.rollups.statements import (
    SHARED_LOCK,
    EventKey,
    append_rows,
    appended_columns,
    lock_rows,
    record_rows,
    write_rows,
    written_columns,
)

NO_FLOORS = Floors(None, None, None)
_EVENT_COLUMNS = ("project_id", "created_at", "deployment_id", "duration_us")


def succeeded(created_at: datetime, **changes: Any) -> dict[str, Any]:
    """A deployment that took one minute."""
    values: dict[str, Any] = {
        "project_id": 1,
        "deployment_id": uuid4(),
        "series_id": 2,
        "status": int(Status.SUCCEEDED),
        "created_at": created_at,
        "finished_at": created_at + timedelta(minutes=1),
        "finish_status": int(Status.SUCCEEDED),
        "duration_us": 60_000_000,
    }
    return values | changes


async def write(
    database: Database, states: Sequence[dict[str, Any]], floors: Floors = NO_FLOORS
) -> list[UUID]:
    """One batch, with an event for each state and the partitions all this needs."""
    rows = sorted(states, key=lambda row: (row["project_id"], row["deployment_id"]))
    times = [row["created_at"] for row in rows]
    async with database.connection() as connection:
        for table in partitioned_tables(DEPLOYMENTS):
            await ensure(connection, table, [*times, *(at + timedelta(days=1) for at in times)])
    async with database.transaction() as connection:
        await connection.execute(SHARED_LOCK, DEPLOYMENTS.name)
        await connection.executemany(
            "insert into deployment_events"
            " (project_id, occurred_at, event_id, deployment_id, type, duration_us, attributes)"
            " values ($1, $2, gen_random_uuid(), $3, 3, $4, $5)",
            [(*(row[name] for name in _EVENT_COLUMNS), {"kept": None}) for row in rows],
        )
        lock = lock_rows(DEPLOYMENTS)
        keys = [(row["project_id"], row["deployment_id"]) for row in rows]
        await connection.fetch(lock.text, *lock.arrays(keys))
        values = [tuple(map(row.get, written_columns(DEPLOYMENTS))) for row in rows]
        await write_rows(connection, DEPLOYMENTS, values, 0, floors)
    return [row["deployment_id"] for row in rows]


async def append(
    database: Database, fact: Append, rows: Sequence[dict[str, Any]], floors: Floors = NO_FLOORS
) -> set[EventKey]:
    """One batch of rows, in series 2 of project 1 by default; returns the keys that are new."""
    async with database.connection() as connection:
        for table in partitioned_tables(fact):
            await ensure(connection, table, [row["occurred_at"] for row in rows])
    known = {"project_id": 1, "series_id": 2}
    columns = [fact.table.c[name] for name in appended_columns(fact)]
    values = [
        tuple((known | row).get(column.name, _default(column)) for column in columns)
        for row in rows
    ]
    async with database.transaction() as connection:
        await connection.execute(SHARED_LOCK, fact.name)
        fresh = await append_rows(connection, fact, values, 0, floors)
        await record_rows(connection, fact, 0, [key[:2] for key in fresh], ())
        return fresh


def _default(column: Column[Any]) -> Any:
    defaults = {UUID: uuid4(), int: 0, bool: False, Decimal: Decimal("2.5")}
    return None if column.nullable else defaults.get(column.type.python_type)


async def add_series(database: Database, fact: Fact) -> None:
    """Series 2 of project 1."""
    numbers = ", ".join("2" for _ in fact.dimensions)
    async with database.transaction() as connection:
        await connection.execute(
            f"insert into {fact.series.name}"
            f" (project_id, series_id, {', '.join(fact.series_columns)}) values (1, 2, {numbers})"
        )


async def differences(
    connection: Connection, at: datetime, floors: Floors = NO_FLOORS, fact: Fact = DEPLOYMENTS
) -> list[Difference]:
    return await recount_day(connection, fact, at.date(), floors)
