"""Erases a user of a project: what names the user is replaced, and every count stays.

The database changes in one transaction, archives file by file afterwards. Doing it again finds
only what is left, so after a crash it is simply done again.
"""

import asyncio
import gzip
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import JSONB

from storage.admin.project_keys import project_keys
from storage.admin.source_maps import source_maps
from storage.connections.database import Connection, Database
from storage.error_groups.tables import comments, errors, fingerprints
from storage.error_groups.users import marker, renamed
from storage.errors import Conflict
from storage.facts import FACTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.feed.counters import COUNT_CATALOGUE
from storage.keeping.leases import lease, release
from storage.keeping.partitions import detached
from storage.keeping.retention import LEASE
from storage.members import project_members

LONG_SECONDS = 600.0
# Those of facts, and columns that name whoever did something.
_ACTOR = "actor"
_TEXTS = frozenset({"error", "attributes"})
_DOERS: tuple[Column[Any], ...] = (
    *(comments.c.author, errors.c.decided_by, errors.c.assigned_to, project_members.c.added_by),
    *(project_keys.c.created_by, project_keys.c.revoked_by, source_maps.c.uploaded_by),
)
_OTHER_TEXTS: tuple[Column[Any], ...] = (
    *(comments.c.text, errors.c.title, errors.c.culprit),
    *(fingerprints.c.title, fingerprints.c.culprit, fingerprints.c.grouping),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a project: the id as events give it, and what errors have in its place.

    Texts are searched for the id only if it is `distinct`: long enough to mean nobody else.
    """

    project_id: int
    project: str
    user_id: str
    key: int
    distinct: bool

    @property
    def mark(self) -> str:
        """What the bodies of errors have in the place of the id."""
        return marker(self.key)


@dataclass(slots=True)
class Report:
    """What was changed: rows by table, and lines by archive file."""

    rows: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def count(self, table: str, rows: int) -> None:
        if rows:
            self.rows[table] = self.rows.get(table, 0) + rows


async def erase(database: Database, person: Person, archives: Path | None) -> Report:
    """Erase a user from the database and from archive files; raises Conflict during retention."""
    holder, report = f"erasure:{secrets.token_hex(4)}", Report()
    async with database.transaction() as connection:
        fence = await lease(connection, LEASE, holder, LONG_SECONDS)
    if fence is None:  # rows on their way into an archive would be missed
        raise Conflict("Old rows are being deleted: try again in some minutes.")
    try:
        async with database.transaction(timeout_seconds=LONG_SECONDS) as connection:
            await _Erasure(connection, person, report).run()
        if archives is not None:
            await asyncio.to_thread(_erase_files, archives, person, report)
    finally:
        async with database.transaction() as connection:
            await release(connection, LEASE, fence)
    return report


class _Erasure:
    """The changes of one transaction. A random name takes the place of the user everywhere."""

    def __init__(self, connection: Connection, person: Person, report: Report) -> None:
        self._connection = connection
        self._person = person
        self._report = report
        self._new_key = int.from_bytes(secrets.token_bytes(8), signed=True)
        self._name = f"erased-{secrets.token_hex(4)}"

    async def run(self) -> None:
        project_id, user_id = self._person.project_id, self._person.user_id
        for fact in FACTS.values():
            # The states of entities first: their locks keep writers from folding old events.
            for table in dict.fromkeys((fact.table, fact.events)):
                await self._rename(table, [c for c in table.c if c.name == _ACTOR])
                await self._replace(table, [c for c in table.c if c.name in _TEXTS])
        for column in _DOERS:
            await self._rename(column.table, [column])
        for column in _OTHER_TEXTS:
            await self._replace(column.table, [column])
        await self._change("project_members", _LEAVE, project_id, user_id)
        await self._errors()
        await self._connection.execute(f"with {COUNT_CATALOGUE} select 1")

    async def _rename(self, table: Any, columns: list[Column[Any]]) -> None:
        for column in columns:
            for name in await self._names(table):
                sql = f"update {name} set {column.name} = $3 where project_id = $1"
                sql += f" and {column.name} = $2"
                user_id = self._person.user_id
                await self._change(table.name, sql, self._person.project_id, user_id, self._name)

    async def _replace(self, table: Any, columns: list[Column[Any]]) -> None:
        for column in columns if self._person.distinct else ():
            is_json = isinstance(column.type, JSONB)
            user_id = orjson.dumps(self._person.user_id).decode()[1:-1] if is_json else None
            text, cast = f"{column.name}::text", "::jsonb" if is_json else ""
            for name in await self._names(table):
                sql = f"update {name} set {column.name} = replace({text}, $2, $3){cast}"
                sql += f" where project_id = $1 and position($2 in {text}) > 0"
                given = user_id or self._person.user_id
                await self._change(table.name, sql, self._person.project_id, given, self._name)

    async def _names(self, table: Table) -> list[str]:
        """The table, and its partitions that are detached and not archived yet."""
        return [table.name, *await detached(self._connection, table.name)]

    async def _errors(self) -> None:
        person, new = self._person, self._new_key
        for name in await self._names(ERROR_OCCURRENCES.table):
            await self._change("error_occurrences", _KEYS.format(table=name), person.project_id,
                               person.key, new)  # fmt: skip
        user_id = orjson.dumps(person.user_id).decode()[1:-1] if person.distinct else None
        await self._change("error_bodies", _BODIES, person.project_id, person.mark, marker(new),
                           user_id, self._name, person.user_id)  # fmt: skip
        rows = await self._connection.fetch(_SKETCHES, person.project_id)
        changed = [
            (row["fingerprint_id"], sketch)
            for row in rows
            if (sketch := renamed(row["users"], person.key, new)) != row["users"]
        ]
        for fingerprint_id, sketch in changed:
            await self._change(
                fingerprints.name, _SKETCH, person.project_id, fingerprint_id, sketch
            )

    async def _change(self, table: str, sql: str, *arguments: Any) -> None:
        status: str = await self._connection.execute(sql, *arguments)
        self._report.count(table, int(status.rsplit(maxsplit=1)[-1]))


def _erase_files(folder: Path, person: Person, report: Report) -> None:
    """Rewrite the archive files that name the user; each is replaced whole, or stays."""
    name = f"erased-{secrets.token_hex(4)}"
    for path in sorted(folder.glob("*.ndjson.gz")):
        draft, changed = path.with_suffix(".erasing"), 0
        with gzip.open(path, "rb") as old, gzip.open(draft, "wb") as new:
            for line in old:
                written = _without(line, person, name)
                changed += written is not line
                new.write(written)
        if changed:
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            draft.replace(path)
            report.lines[path.name] = changed
        else:
            draft.unlink()


def _without(line: bytes, person: Person, name: str) -> bytes:
    """The line without the user; itself if it does not name the user."""
    quoted = orjson.dumps(person.user_id)[1:-1]
    if quoted not in line and person.mark.encode() not in line:
        return line
    event = orjson.loads(line)
    if event.get("project") != person.project:
        return line
    changed = dict(event)
    for field_name in (_ACTOR, "user"):
        if event.get(field_name) in (person.user_id, person.mark):
            changed[field_name] = name
    for field_name in ("error", "message", "attributes", "payload"):
        if field_name in event:
            text = orjson.dumps(event[field_name]).replace(person.mark.encode(), name.encode())
            text = text.replace(quoted, name.encode()) if person.distinct else text
            changed[field_name] = orjson.loads(text)
    return line if changed == event else orjson.dumps(changed) + b"\n"


_LEAVE = "delete from project_members where project_id = $1 and (subject = $2 or email = $2)"

_KEYS = "update {table} set user_key = $3 where project_id = $1 and user_key = $2"

# The words of the id go from the search, whatever else they stood for in these bodies.
_BODIES = """
update error_bodies
set body = replace(replace(body::text, $2, $3), coalesce($4, $2), $5)::jsonb,
  search = ts_delete(search, tsvector_to_array(to_tsvector('simple',
    $2 || ' ' || case when $4 is null then '' else $6::text end)))
where project_id = $1 and (position($2 in body::text) > 0 or position($4 in body::text) > 0)
"""

_SKETCHES = """
select fingerprint_id, users from error_fingerprints
where project_id = $1 and users is not null order by fingerprint_id for update
"""

_SKETCH = """
update error_fingerprints set users = $3 where project_id = $1 and fingerprint_id = $2
"""
