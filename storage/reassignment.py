"""Moves rows out of "other" after the network or template that they named is provisioned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Column, DateTime, Table, Text, func

from storage.connections.database import Connection, Database
from storage.contents import CONTENT_STORES
from storage.dimensions import DIMENSIONS, OTHER, Dimension
from storage.facts import FACTS
from storage.facts.content import MovedRow
from storage.facts.fact import Fact, Floors
from storage.metadata import metadata
from storage.rollups.statements import SHARED_LOCK, apply_rows, record_applied, written_columns
from storage.series import OVERFLOW, admit

# Newly provisioned names whose rows `reassign_pending` has to move.
reassignments = Table(
    "reassignments",
    metadata,
    Column("dimension", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("requested_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# The key of a row, without the project.
Key = Sequence[Any]
_BATCH = 500
_SLOT = 0
# Finding the next batch may read all rows of a project.
_LONG_SECONDS = 300
# The latest that a batch of events may commit after it looked up a name that did not exist.
_SETTLED_AFTER = timedelta(minutes=2)


async def reassign_pending(database: Database, now: datetime, floors: Floors) -> int:
    """Move the rows of all newly provisioned names; returns how many moved.

    A name stays pending until a run starts at least two minutes after its provisioning.
    """
    async with database.connection() as connection:
        pending = await connection.fetch("select dimension, name, requested_at from reassignments")
    moved = 0
    for dimension, name, requested_at in pending:
        for fact in FACTS.values():
            if DIMENSIONS[dimension] in fact.dimensions:
                moved += await reassign(database, fact, DIMENSIONS[dimension], name, floors)
        if requested_at <= now - _SETTLED_AFTER:
            async with database.transaction() as connection:
                await connection.execute(_DONE, dimension, name, requested_at)
    return moved


async def reassign(
    database: Database, fact: Fact, dimension: Dimension, name: str, floors: Floors
) -> int:
    """Move every row of a fact that named this network or template; returns how many moved."""
    async with database.connection() as connection:
        projects = await connection.fetch(_projects(fact, dimension))
    moved = 0
    for project_id, series_ids in projects:
        late = _Late(fact, dimension, name, project_id, series_ids)
        after: Key | None = ()
        while after is not None:
            async with database.transaction(timeout_seconds=_LONG_SECONDS) as connection:
                count, after = await _move_batch(connection, late, floors, after)
            moved += count
    return moved


@dataclass(frozen=True, slots=True)
class _Late:
    """A late name, and a project's series that count rows with it under "other"."""

    fact: Fact
    dimension: Dimension
    name: str
    project_id: int
    series_ids: list[int]


async def _move_batch(
    connection: Connection, late: _Late, floors: Floors, after: Key
) -> tuple[int, Key | None]:
    """Move the next batch after a key; returns how many moved and the last key seen, or None.

    It takes locks in the same order as ingest, and updates roll-ups with the same statement.
    """
    fact = late.fact
    await connection.execute(SHARED_LOCK, fact.name)
    candidates = _candidates(fact, late.dimension, bool(after))
    rows = await connection.fetch(
        candidates, late.name, late.project_id, late.series_ids, _BATCH, *after
    )
    if not rows:
        return 0, None
    names = written_columns(fact)
    combinations = [tuple(row[len(names) :]) for row in rows]
    series = await admit(connection, fact, late.project_id, combinations)
    moved = [
        MovedRow(row, series[combination])
        for row, combination in zip(rows, combinations, strict=True)
        if series[combination] != OVERFLOW
    ]
    if moved:
        written = [
            tuple(to if name == "series_id" else row[name] for name in names) for row, to in moved
        ]
        days = await apply_rows(connection, fact, written, _SLOT, floors)
        store = CONTENT_STORES.get(fact)
        if store and store.move:
            await store.move(connection, moved)
        await record_applied(connection, fact, written, _SLOT, days)
    return len(moved), [rows[-1][name] for name in fact.key[1:]]


@cache
def _candidates(fact: Fact, dimension: Dimension, later: bool) -> str:
    """SQL that locks a project's next rows that named what has been provisioned since.

    It returns their `written_columns` and the combination they belong to now. The series are
    parameters, since a look-up here would read the project's rows once for each.
    """
    table, series = fact.table.name, fact.series.name
    key = ", ".join(fact.key[1:])
    after = ", ".join(f"${number}" for number in range(5, 4 + len(fact.key)))
    ids = ", ".join(
        f"{'named' if each is dimension else series}.{each.column}" for each in fact.dimensions
    )
    return f"""
select late.*, {ids}
from (
  select {", ".join(written_columns(fact))} from {table}
  where project_id = $2 and $1 in ({dimension}, lower({dimension})) and series_id = any($3)
    {f"and ({key}) > ({after})" if later else ""}
  order by {key} limit $4 for update) as late
join {series} using (project_id, series_id)
join {dimension.dictionary.name} as named on named.{dimension.names.name} = $1
order by {key}
"""


def _projects(fact: Fact, dimension: Dimension) -> str:
    """SQL for the projects with series that are "other" in this dimension, and those series."""
    return (
        f"select project_id, array_agg(series_id) from {fact.series.name}"
        f" where {dimension.column} = {OTHER} group by 1 order by 1"
    )


_DONE = "delete from reassignments where dimension = $1 and name = $2 and requested_at = $3"
