"""Moves deployments out of "other" after the network or template they named is provisioned."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, Table, Text, func

from storage.connections.database import Connection, Database
from storage.dimensions import OTHER, Dictionary
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Floors
from storage.metadata import metadata
from storage.rollups.statements import SHARED_LOCK, lock_rows, write_rows, written_columns
from storage.series import OVERFLOW, Dims, admit

# Newly provisioned names whose deployments `reassign_pending` has to move.
reassignments = Table(
    "reassignments",
    metadata,
    Column("dimension", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("requested_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

Key = tuple[int, UUID]
_LAST_ID = UUID(int=2**128 - 1)
_BATCH = 500
_SLOT = 0
# Finding the next batch may read all deployments of a project.
_LONG_SECONDS = 300
# The latest that a batch of events may commit after it looked up a name that did not exist.
_SETTLED_AFTER = timedelta(minutes=2)


async def reassign_pending(database: Database, now: datetime, floors: Floors) -> int:
    """Move the deployments of all newly provisioned names; returns how many moved.

    A name stays pending until a run starts at least two minutes after its provisioning.
    """
    async with database.connection() as connection:
        pending = await connection.fetch("select dimension, name, requested_at from reassignments")
    moved = 0
    for dimension, name, requested_at in pending:
        moved += await reassign(database, Dictionary(dimension), name, floors)
        if requested_at <= now - _SETTLED_AFTER:
            async with database.transaction() as connection:
                await connection.execute(_DONE, dimension, name, requested_at)
    return moved


async def reassign(database: Database, dimension: Dictionary, name: str, floors: Floors) -> int:
    """Move every deployment that named this network or template; returns how many moved."""
    async with database.connection() as connection:
        projects = await connection.fetch(_PROJECTS[dimension])
    moved = 0
    for project_id, series_ids in projects:
        late = _Late(dimension, name, project_id, series_ids)
        after: Key | None = (project_id - 1, _LAST_ID)
        while after is not None:
            async with database.transaction(timeout_seconds=_LONG_SECONDS) as connection:
                count, after = await _move_batch(connection, late, floors, after)
            moved += count
    return moved


@dataclass(frozen=True, slots=True)
class _Late:
    """A late name, and a project's series that count its deployments under "other"."""

    dimension: Dictionary
    name: str
    project_id: int
    series_ids: list[int]


async def _move_batch(
    connection: Connection, late: _Late, floors: Floors, after: Key
) -> tuple[int, Key | None]:
    """Move the next batch after a key; returns how many moved and the last key seen, or None.

    It takes locks in the same order as ingest, and updates roll-ups with ingest's statement.
    """
    await connection.execute(SHARED_LOCK, DEPLOYMENTS.name)
    rows = await connection.fetch(
        _CANDIDATES[late.dimension], late.name, late.project_id, late.series_ids, *after, _BATCH
    )
    if not rows:
        return 0, None
    lock = lock_rows(DEPLOYMENTS)
    locked = await connection.fetch(lock.text, *lock.arrays([_key(row) for row in rows]))
    targets = await _targets(connection, late.project_id, rows)
    earlier = {_key(row): row["series_id"] for row in rows}
    names = written_columns(DEPLOYMENTS)
    moving = [
        tuple(targets[_key(row)] if name == "series_id" else row[name] for name in names)
        for row in locked
        # If an event moved the row since it was read, its series is right already.
        if row["series_id"] == earlier[_key(row)] and targets[_key(row)] != OVERFLOW
    ]
    await write_rows(connection, DEPLOYMENTS, moving, _SLOT, floors)
    return len(moving), _key(rows[-1])


def _key(row: Any) -> Key:
    return row["project_id"], row["deployment_id"]


async def _targets(connection: Connection, project_id: int, rows: list[Any]) -> dict[Key, int]:
    """The series that each row belongs to now."""
    dims = {_key(row): Dims(*(row[name] for name in Dims._fields)) for row in rows}
    admitted = await admit(connection, project_id, set(dims.values()))
    return {key: admitted[wanted] for key, wanted in dims.items()}


def _candidates(dimension: Dictionary, dictionary: str, name_column: str) -> str:
    """SQL for the next deployments that named a network or template provisioned since.

    The series are parameters, since a look-up here would read the project's rows once for each.
    """
    dims = ", ".join(
        f"named.{column}" if column == f"{dimension}_id" else f"series.{column}"
        for column in Dims._fields
    )
    return f"""
select entity.project_id, entity.deployment_id, entity.series_id, {dims}
from (
  select project_id, deployment_id, series_id from deployments
  where (project_id, deployment_id) > ($4, $5) and project_id <= $2
    and $1 in ({dimension}, lower({dimension})) and series_id = any($3)
  order by project_id, deployment_id limit $6) as entity
join series using (project_id, series_id)
join {dictionary} as named on named.{name_column} = $1
order by entity.project_id, entity.deployment_id
"""


_CANDIDATES = {
    Dictionary.NETWORK: _candidates(Dictionary.NETWORK, "networks", "name"),
    Dictionary.TEMPLATE: _candidates(Dictionary.TEMPLATE, "templates", "slug"),
}

_PROJECTS = {
    dimension: "select project_id, array_agg(series_id) from series"
    f" where {dimension}_id = {OTHER} group by 1 order by 1"
    for dimension in _CANDIDATES
}

_DONE = "delete from reassignments where dimension = $1 and name = $2 and requested_at = $3"
