"""The table of what projects call secret in their errors, beyond what is so everywhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Table, Text, select

from storage.connections.database import Connection, Database
from storage.connections.query import SqlQuery, any_of
from storage.metadata import metadata

scrub_rules = Table(
    "scrub_rules",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("names", ARRAY(Text), nullable=False),
    Column("patterns", ARRAY(Text), nullable=False),
    Column("updated_by", Text, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class ScrubRules:
    """The rules of a project, and who set them when; None if nobody did."""

    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    updated_by: str | None = None
    updated_at: datetime | None = None


async def find(database: Database, project_ids: Iterable[int]) -> dict[int, ScrubRules]:
    """The rules of those projects that have any."""
    rows = await database.fetch(_OF_PROJECTS, wanted=sorted(project_ids))
    return {
        row["project_id"]: ScrubRules(
            tuple(row["names"]), tuple(row["patterns"]), row["updated_by"], row["updated_at"]
        )
        for row in rows
    }


async def put(connection: Connection, project_id: int, rules: ScrubRules) -> None:
    """Set the rules of a project."""
    names, patterns = list(rules.names), list(rules.patterns)
    await connection.execute(_PUT, project_id, names, patterns, rules.updated_by, rules.updated_at)


_OF_PROJECTS = SqlQuery(
    "scrub_rules", select(scrub_rules).where(any_of(scrub_rules.c.project_id, "wanted"))
)

_PUT = """
insert into scrub_rules (project_id, names, patterns, updated_by, updated_at)
values ($1, $2::text[], $3::text[], $4, $5)
on conflict (project_id) do update set names = excluded.names, patterns = excluded.patterns,
  updated_by = excluded.updated_by, updated_at = excluded.updated_at
"""
