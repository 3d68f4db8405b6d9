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
from sqlalchemy import Column
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
        self._name = f"erased-{secrets.token_hex(4)}"

    async def run(self) -> None:
        for fact in FACTS.values():
            # The states of entities first: their locks keep writers from folding old events.
            for table in dict.fromkeys((fact.table, fact.events)):
                for column in table.c:
                    if column.name == _ACTOR or column.name in _TEXTS:
                        await self._replace(column, within=column.name in _TEXTS)
        for column in _DOERS:
            await self._replace(column, within=False)
        for column in _OTHER_TEXTS:
            await self._replace(column, within=True)
        await self._change("project_members", _LEAVE, self._person.user_id)
        await self._errors()
        await self._connection.execute(f"with {COUNT_CATALOGUE} select 1")

    async def _replace(self, column: Column[Any], *, within: bool) -> None:
        """Replace the user in a column: as its whole value, or within it if the id is distinct."""
        if within and not self._person.distinct:
            return
        is_json = isinstance(column.type, JSONB)
        user_id = _quoted(self._person.user_id) if is_json else self._person.user_id
        text, cast = f"{column.name}::text", "::jsonb" if is_json else ""
        test = f"position($2 in {text}) > 0" if within else f"{column.name} = $2"
        for name in await self._names(column.table):
            sql = f"update {name} set {column.name} = replace({text}, $2, $3){cast}"
            sql += f" where project_id = $1 and {test}"
            await self._change(column.table.name, sql, user_id, self._name)

    async def _names(self, table: Any) -> list[str]:
        """The table, and its partitions that are detached and not archived yet."""
        return [table.name, *await detached(self._connection, table.name)]

    async def _errors(self) -> None:
        person, new = self._person, int.from_bytes(secrets.token_bytes(8), signed=True)
        for name in await self._names(ERROR_OCCURRENCES.table):
            await self._change("error_occurrences", _KEYS.format(table=name), person.key, new)
        user_id = _quoted(person.user_id) if person.distinct else None
        given = person.mark, marker(new), user_id, self._name, person.user_id
        await self._change("error_bodies", _BODIES, *given)
        for row in await self._connection.fetch(_SKETCHES, person.project_id):
            sketch = renamed(row["users"], person.key, new)
            if sketch != row["users"]:
                await self._change(fingerprints.name, _SKETCH, row["fingerprint_id"], sketch)

    async def _change(self, table: str, sql: str, *arguments: Any) -> None:
        status: str = await self._connection.execute(sql, self._person.project_id, *arguments)
        if rows := int(status.rsplit(maxsplit=1)[-1]):
            self._report.rows[table] = self._report.rows.get(table, 0) + rows


def _quoted(text: str) -> str:
    """The text as it stands in JSON."""
    return orjson.dumps(text).decode()[1:-1]


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
    quoted = _quoted(person.user_id).encode()
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
where project_id = $1 and length(users) <> 16384 order by fingerprint_id for update
"""

_SKETCH = """
update error_fingerprints set users = $3 where project_id = $1 and fingerprint_id = $2
"""
