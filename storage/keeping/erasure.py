"""Erases a user of a project: what names the user is replaced, and every count stays.

Rows change in batches along the keys of their tables, archives file by file. Each batch is a
transaction that locks rows in the order of their keys, as intake does. Doing it again finds only
what is left, so after a crash it is simply done again.
"""

import asyncio
import gzip
import os
import re
import secrets
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Column, Table

from storage.admin.project_keys import project_keys
from storage.admin.source_maps import source_maps
from storage.alerts.tables import (
    alert_attempts,
    alert_channels,
    alert_events,
    alert_instances,
    alert_reads,
    alert_revisions,
    alert_rules,
    alert_sends,
    alert_silences,
)
from storage.connections.database import Database
from storage.contents import CONTENT_STORES
from storage.error_groups.tables import comments, errors, fingerprints
from storage.error_groups.users import marker, renamed, with_users
from storage.errors import Conflict
from storage.facts import FACTS
from storage.facts.fact import Append
from storage.feed.counters import COUNT_CATALOGUE
from storage.keeping.archive import remove_drafts
from storage.keeping.kept_names import names_with_id
from storage.keeping.leases import Hold, held
from storage.keeping.partitions import detached
from storage.keeping.replacing import (
    USER_KEY,
    Place,
    end_of_batch,
    in_texts,
    lock_fingerprints,
    update_batch,
    update_fingerprints,
    whole,
    within,
)
from storage.keeping.retention import LEASE, LEASE_SECONDS
from storage.kept_panels import kept_panels
from storage.members import project_members

# At most so long are names counted, for which the rows of the project are read.
_COUNT_SECONDS = 600.0
# Those of facts, and columns that name whoever did something.
_ACTOR = "actor"
_TEXTS = frozenset({"error", "attributes"})
_DOERS: tuple[Column[Any], ...] = (
    *(comments.c.author, errors.c.decided_by, errors.c.assigned_to, project_members.c.added_by),
    *(project_keys.c.created_by, project_keys.c.revoked_by, source_maps.c.uploaded_by),
    *(alert_rules.c.created_by, alert_rules.c.changed_by, alert_events.c.by),
    *(alert_instances.c.acknowledged_by, alert_silences.c.created_by, alert_silences.c.ended_by),
    *(alert_channels.c.created_by, alert_channels.c.changed_by, kept_panels.c.kept_by),
)
_OTHER_TEXTS: tuple[Column[Any], ...] = (
    *(fingerprints.c.title, fingerprints.c.culprit, fingerprints.c.grouping),
    *(errors.c.title, errors.c.culprit, comments.c.text, kept_panels.c.title),
    # They have the titles of errors, and the names of groups.
    *(alert_events.c.evidence, alert_events.c.labels, alert_sends.c.message),
    *(alert_instances.c.evidence, alert_instances.c.labels, alert_silences.c.comment),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a project: the id as events give it, and what errors have in its place.

    Texts are searched for the id only if it is `distinct`: long enough to mean nobody else. Of any
    other id, values in JSON are replaced whose name says that they are a user's.
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

    @property
    def as_value(self) -> str:
        """A regular expression for the id in JSON as the value of a name with "user" in it.

        It may also be the `id` in an object of such a name. What is before the value is a group.
        JSON inside of a text is part of the text: its quotes come after backslashes.
        """
        named = r'"[^"\\]*(?:[Uu]ser|USER)[^"\\]*": ?(?:\{"id": ?)?'
        value = re.escape(_quoted(self.user_id))
        return f'({named})(?:"{value}"|{value})(?=[]}},])'

    @property
    def as_label(self) -> str:
        """A regular expression for the id in a label set, as the value of such a name."""
        return f"(^|,)[^=,]*([Uu]ser|USER)[^=,]*={re.escape(self.user_id)}(,|$)"


@dataclass(slots=True)
class Report:
    """What was changed: rows by table, and lines by archive file.

    `kept_in_names` is what was not: by dimension, the names that have the id in them still, and
    the texts of alert rules, silences, channels and kept panels that do.
    """

    rows: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    kept_in_names: dict[str, int] = field(default_factory=dict)


async def erase(database: Database, person: Person, archives: Path | None) -> Report:
    """Erase a user from the database and from archive files; raises Conflict during retention."""
    holder, report = f"erasure:{secrets.token_hex(4)}", Report()
    async with held(database, LEASE, holder, LEASE_SECONDS) as hold:
        if hold is None:  # rows on their way into an archive would be missed
            raise Conflict("Old rows are being deleted: try again in some minutes.")
        await _Erasure(database, hold, person, report).run()
        name = _new_name()
        for path in await asyncio.to_thread(_files, archives) if archives is not None else ():
            await hold.renew()
            if lines := await asyncio.to_thread(_erase_file, path, person, name):
                report.lines[path.name] = lines
    report.kept_in_names = await _kept_in_names(database, person)
    return report


async def _kept_in_names(database: Database, person: Person) -> dict[str, int]:
    about = (person.user_id, person.distinct, person.mark, person.as_label)
    async with database.transaction(timeout_seconds=_COUNT_SECONDS) as connection:
        return dict(await connection.fetch(names_with_id(), person.project_id, *about))


class _Erasure:
    """The changes of the database. A random name takes the place of the user everywhere."""

    def __init__(self, database: Database, hold: Hold, person: Person, report: Report) -> None:
        self._database = database
        self._hold = hold
        self._person = person
        self._report = report
        self._new_key = int.from_bytes(secrets.token_bytes(8), signed=True)
        self._given = (
            *(person.project_id, person.user_id, _new_name()),
            *(_quoted(person.user_id) if person.distinct else None, person.key, self._new_key),
            *(person.mark, marker(self._new_key), person.as_value),
        )

    async def run(self) -> None:
        async with self._database.transaction() as connection:
            who, new_name = self._given[:2], self._given[2]
            # Before the member leaves, since only that row knows the address.
            self._count(alert_channels, await connection.execute(_STOP_MAILS, *who))
            for table, statement in _ANSWERS.items():
                told = await connection.execute(statement, *who, new_name, self._person.distinct)
                self._count(table, told)
            self._count(alert_revisions, await connection.execute(_REVISIONS, *who, new_name))
            self._count(project_members, await connection.execute(_LEAVE, *who))
            self._count(alert_reads, await connection.execute(_FORGET_READ, who[1]))
        found = self._places()
        # First, since errors are summed up from them.
        await self._change_fingerprints(found.pop(fingerprints, []))
        for table, places in found.items():
            async with self._database.connection() as connection:
                # Also those of its partitions that are detached and not archived yet.
                names = [table.name, *await detached(connection, table.name)]
            for name in names:
                await self._change(table, name, places)
        async with self._database.transaction() as connection:
            await connection.execute(f"with {COUNT_CATALOGUE} select 1")

    def _places(self) -> dict[Table, list[Place]]:
        """What is replaced, by table. Events come before the states that are folded from them."""
        of_facts = (
            column
            for fact in FACTS.values()
            for table in dict.fromkeys((fact.events, fact.table))
            for column in table.c
            if column.name in _TEXTS or column.name in (_ACTOR, USER_KEY)
        )
        found: defaultdict[Table, list[Place]] = defaultdict(list)
        for column in (*of_facts, *_OTHER_TEXTS, *_DOERS):
            is_text = column.name in _TEXTS or column in _OTHER_TEXTS
            if self._person.distinct or not is_text:
                found[column.table].append((within if is_text else whole)(column))
        return found | {
            store.texts.search.table: in_texts(store.texts) for store in CONTENT_STORES.values()
        }

    async def _change(self, table: Table, name: str, places: list[Place]) -> None:
        """Change rows batch by batch along the key."""
        key = [column.name for column in table.primary_key if column.name != "project_id"]
        after: tuple[Any, ...] | None = ()
        while after is not None:
            await self._hold.renew()
            async with self._database.transaction() as connection:
                next_ = end_of_batch(name, key, bool(after))
                last = await connection.fetchrow(next_, self._person.project_id, *after)
                ends = (*after, *(last or ()))
                update = update_batch(name, key, places, bool(after), last is not None)
                self._count(table, await connection.execute(update, *self._given, *ends))
            after = None if last is None else tuple(last)

    async def _change_fingerprints(self, places: list[Place]) -> None:
        """Change all that name the user at once: an error that has some would count two users."""
        person, known = self._person, with_users(None, [self._person.key])
        async with self._database.transaction() as connection:
            rows = await connection.fetch(lock_fingerprints(places), *self._given, known)
            ids = [row["fingerprint_id"] for row in rows]
            users = [
                row["users"] and renamed(row["users"], person.key, self._new_key) for row in rows
            ]
            update = update_fingerprints(places)
            self._count(fingerprints, await connection.execute(update, *self._given, ids, users))

    def _count(self, table: Table, status: str) -> None:
        if rows := int(status.rsplit(maxsplit=1)[-1]):
            self._report.rows[table.name] = self._report.rows.get(table.name, 0) + rows


def _new_name() -> str:
    return f"erased-{secrets.token_hex(4)}"


def _quoted(text: str) -> str:
    """The text as it stands in JSON."""
    return orjson.dumps(text).decode()[1:-1]


def _files(archives: Path) -> list[Path]:
    """The complete files; drafts are of nobody who will complete them, so they are removed."""
    remove_drafts(archives)
    return sorted(archives.glob("*.ndjson.gz"))


def _erase_file(path: Path, person: Person, name: str) -> int:
    """Rewrite an archive file that names the user, whole or not at all; returns the lines."""
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
    else:
        draft.unlink()
    return changed


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
    for field_name in _ARCHIVED & event.keys():
        text = orjson.dumps(event[field_name]).replace(person.mark.encode(), name.encode())
        text = text.replace(quoted, name.encode()) if person.distinct else text
        if quoted in text:  # the expression is slow
            text = re.sub(person.as_value.encode(), rb'\1"%b"' % name.encode(), text)
        changed[field_name] = orjson.loads(text)
    return line if changed == event else orjson.dumps(changed) + b"\n"


# The fields of archived lines that are searched: texts of rows, and what is stored beside them.
_ARCHIVED = _TEXTS.union(
    *(fact.content.names for fact in FACTS.values() if isinstance(fact, Append))
) - {"user"}

_ADDRESS = """select lower(email) as address from project_members
    where project_id = $1 and subject = $2 and email is not null"""

# Mails to the user's addresses. A channel that would tell nobody else is switched off.
_STOP_MAILS = rf"""
with own as ({_ADDRESS} union select lower($2::text)),
given as (
  select channel_id, address from alert_channels cross join jsonb_array_elements_text(
    case jsonb_typeof(settings -> 'to') when 'array' then settings -> 'to'
    else to_jsonb(regexp_split_to_array(settings ->> 'to', '\s*,\s*')) end) as address
  where project_id = $1 and kind = 'email' and settings ? 'to'),
left_over as (
  select channel_id, coalesce(
    jsonb_agg(address) filter (where lower(address) not in (select own.address from own)), '[]'
  ) as receivers
  from given group by channel_id
  having bool_or(lower(address) in (select own.address from own)))
update alert_channels as channel
set settings = settings || jsonb_build_object('to', receivers),
  enabled = enabled and (receivers <> '[]' or settings @> '{{"owners": true}}')
from left_over where channel.channel_id = left_over.channel_id
"""

# The user's texts in what receivers answered: the address, and the id unless it may mean others.
_OWN = f"with own as ({_ADDRESS} union select lower($2::text) where $4)"
_ANSWERS = {
    alert_attempts: f"""{_OWN}
update alert_attempts as attempt set detail = $3 from alert_sends as send
where send.project_id = $1 and attempt.send_id = send.send_id and exists (
  select from own where position(own.address in lower(attempt.detail)) > 0)
""",
    alert_sends: f"""{_OWN}
update alert_sends as send set reason = $3 where project_id = $1 and exists (
  select from own where position(own.address in lower(send.reason)) > 0)
""",
}

_REVISIONS = """
update alert_revisions as revision set changed_by = $3
from alert_rules as rule
where rule.project_id = $1 and revision.rule_id = rule.rule_id and revision.changed_by = $2
"""

# Up to when somebody has read the alerts of all projects.
_FORGET_READ = """
delete from alert_reads
where subject = $1 and not exists (select from project_members where subject = $1)
"""

_LEAVE = "delete from project_members where project_id = $1 and (subject = $2 or email = $2)"
