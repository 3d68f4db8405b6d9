"""The table of what projects call secret in their errors, beyond what is so everywhere."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ARRAY, BigInteger, Column, Table, Text, select

from storage.connections.database import Connection, Database
from storage.connections.query import SqlQuery, any_of
from storage.metadata import metadata

scrub_rules = Table(
    "scrub_rules",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("names", ARRAY(Text), nullable=False),
    Column("patterns", ARRAY(Text), nullable=False),
)


@dataclass(frozen=True, slots=True)
class ScrubRules:
    """Names of fields, and patterns of texts."""

    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        """A text that changes whenever the rules do."""
        return hashlib.sha256(repr((self.names, self.patterns)).encode()).hexdigest()[:16]


async def find(database: Database, project_ids: Iterable[int]) -> dict[int, ScrubRules]:
    """The rules of those projects that have any."""
    rows = await database.fetch(_OF_PROJECTS, wanted=sorted(project_ids))
    return {key: ScrubRules(tuple(names), tuple(patterns)) for key, names, patterns in rows}


async def lock(connection: Connection, project_id: int) -> ScrubRules:
    """The rules of a project, locked until the transaction ends."""
    await connection.execute(_KEEP, project_id)
    row = await connection.fetchrow(_LOCK, project_id)
    return ScrubRules(tuple(row["names"]), tuple(row["patterns"]))


async def put(connection: Connection, project_id: int, rules: ScrubRules) -> None:
    """Set the rules of a project."""
    await connection.execute(_PUT, project_id, list(rules.names), list(rules.patterns))


_OF_PROJECTS = SqlQuery(
    "scrub_rules", select(scrub_rules).where(any_of(scrub_rules.c.project_id, "wanted"))
)

_KEEP = """
insert into scrub_rules (project_id, names, patterns) values ($1, '{}', '{}') on conflict do nothing
"""

_LOCK = "select names, patterns from scrub_rules where project_id = $1 for update"

_PUT = """
insert into scrub_rules (project_id, names, patterns) values ($1, $2::text[], $3::text[])
on conflict (project_id) do update set names = excluded.names, patterns = excluded.patterns
"""
