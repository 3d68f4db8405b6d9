"""Moves deployments out of "other" once the network or template they named is provisioned."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Column, DateTime, Table, Text, func

from storage.database import Connection, Database
from storage.dimensions import OTHER, Dimension
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Floors
from storage.metadata import metadata
from storage.rollups.statements import SHARED_LOCK, apply, lock_rows
from storage.series import OVERFLOW, Dims, admit

# What the provisioning of a name leaves to be done: see `reassign_pending`.
reassignments = Table(
    "reassignments",
    metadata,
    Column("dimension", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("requested_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

Key = tuple[int, UUID]
_BEFORE_ALL: Key = (-1, UUID(int=0))
_BATCH = 500
# A batch of events that looked the name up before it existed may be committed this much later.
_SETTLED_AFTER = timedelta(minutes=2)


async def reassign_pending(database: Database, now: datetime, floors: Floors) -> int:
    """Reassign for every name provisioned since; says how many deployments moved.

    A name stays pending until a pass began long enough after its provisioning.
    """
    async with database.connection() as connection:
        pending = await connection.fetch("select dimension, name, requested_at from reassignments")
    moved = 0
    for dimension, name, requested_at in pending:
        moved += await reassign(database, Dimension(dimension), name, floors)
        if requested_at <= now - _SETTLED_AFTER:
            async with database.transaction() as connection:
                await connection.execute(_DONE, dimension, name, requested_at)
    return moved


async def reassign(database: Database, dimension: Dimension, name: str, floors: Floors) -> int:
    """Move every deployment that named this network or template; says how many moved."""
    moved, after = 0, _BEFORE_ALL
    while True:
        async with database.transaction() as connection:
            count, last = await reassign_batch(connection, dimension, name, floors, after)
        moved += count
        if last is None:
            return moved
        after = last


async def reassign_batch(
    connection: Connection, dimension: Dimension, name: str, floors: Floors, after: Key
) -> tuple[int, Key | None]:
    """Move the next batch after a key; how many moved, and the last key seen, if there was one.

    Takes its locks in the order ingest does, and moves roll-ups with ingest's own statement.
    """
    await connection.execute(SHARED_LOCK, DEPLOYMENTS.name)
    rows = await connection.fetch(_CANDIDATES[dimension], name, *after, _BATCH)
    if not rows:
        return 0, None
    locked = await connection.fetch(
        lock_rows(DEPLOYMENTS).text,
        [row["project_id"] for row in rows],
        [row["deployment_id"] for row in rows],
    )
    targets = await _targets(connection, rows)
    earlier = {_key(row): row["series_id"] for row in rows}
    moving = [
        dict(row) | {"series_id": targets[_key(row)]}
        for row in locked
        # An event may have moved the row since it was read; then it is right already.
        if row["series_id"] == earlier[_key(row)] and targets[_key(row)] != OVERFLOW
    ]
    await _apply(connection, moving, floors)
    return len(moving), _key(rows[-1])


def _key(row: Any) -> Key:
    return row["project_id"], row["deployment_id"]


async def _targets(connection: Connection, rows: list[Any]) -> dict[Key, int]:
    """The series each row belongs to now; projects in ascending order, as `admit` wants."""
    dims = {_key(row): Dims(*(row[name] for name in Dims._fields)) for row in rows}
    by_project: dict[int, set[Dims]] = {}
    for (project_id, _), wanted in dims.items():
        by_project.setdefault(project_id, set()).add(wanted)
    admitted = {
        project_id: await admit(connection, project_id, by_project[project_id])
        for project_id in sorted(by_project)
    }
    return {key: admitted[key[0]][wanted] for key, wanted in dims.items()}


async def _apply(connection: Connection, rows: list[dict[str, Any]], floors: Floors) -> None:
    if not rows:
        return
    statement = apply(DEPLOYMENTS)
    json_columns = ("attributes", "attribute_keys")
    arrays = [
        [_json(row[name]) if name in json_columns else row[name] for row in rows]
        for name in statement.columns
    ]
    slot = 0
    await connection.fetch(statement.text, *arrays, slot, floors.minute, floors.fine, floors.day)


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _candidates(dimension: Dimension, dictionary: str, name_column: str) -> str:
    """SQL for the next rows counted under "other" that named what is now in the dictionary."""
    dims = ", ".join(
        f"named.{column}" if column == f"{dimension}_id" else f"series.{column}"
        for column in Dims._fields
    )
    return f"""
select entity.project_id, entity.deployment_id, entity.series_id, {dims}
from {dictionary} as named
join series on series.{dimension}_id = {OTHER}
join deployments as entity
  on entity.project_id = series.project_id and entity.series_id = series.series_id
where named.{name_column} = $1 and $1 in (entity.{dimension}, lower(entity.{dimension}))
  and (entity.project_id, entity.deployment_id) > ($2, $3)
order by entity.project_id, entity.deployment_id limit $4
"""


_CANDIDATES = {
    Dimension.NETWORK: _candidates(Dimension.NETWORK, "networks", "name"),
    Dimension.TEMPLATE: _candidates(Dimension.TEMPLATE, "templates", "slug"),
}

_DONE = "delete from reassignments where dimension = $1 and name = $2 and requested_at = $3"
