"""The table of project members, the only place that holds e-mail addresses."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, DateTime, Table, Text

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.feed.counters import COUNT_CATALOGUE
from storage.metadata import metadata

MEMBERS_AT_MOST = 1_000  # of a project


project_members = Table(
    "project_members",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", Text, primary_key=True),
    Column("email", Text),
    Column("role", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", DateTime(timezone=True), nullable=False),
)


class MemberRole(StrEnum):
    """What a member is to the project."""

    OWNER = "owner"
    MEMBER = "member"


class MemberSource(StrEnum):
    """Who said that somebody is a member."""

    ADMIN = "admin"
    TOKEN = "token"  # noqa: S105 - a source, not a secret


class MemberFields(NamedTuple):
    """A member as an admin or a token gives it; None leaves the stored value."""

    subject: str
    email: str | None
    role: MemberRole | None


async def upsert(
    connection: Connection, project_id: int, member: MemberFields, by: str, now: datetime
) -> bool:
    """Insert or change a member; returns false if the project has too many already."""
    await connection.execute(_LOCK)
    status: str = await connection.execute(_UPSERT, project_id, *member, by, now, MEMBERS_AT_MOST)
    return status.endswith(" 1")


async def remove(connection: Connection, project_id: int, subject: str) -> bool:
    """Remove a member; returns whether there was one."""
    return bool(await connection.fetchval(_REMOVE, project_id, subject))


async def upsert_from_tokens(
    connection: Connection, claims: Sequence[tuple[str, MemberFields]], now: datetime
) -> None:
    """Insert or change members by the slug of their project, unless an admin has entered them.

    Beyond MEMBERS_AT_MOST, a project takes no new members from tokens.
    """
    columns = columns_of((slug, *member) for slug, member in claims)
    await connection.execute(_LOCK)
    status: str = await connection.execute(_FROM_TOKENS, *columns, now, MEMBERS_AT_MOST)
    if not status.endswith(" 0"):
        await connection.execute(f"with {COUNT_CATALOGUE} select")


# New members are counted one transaction after the other.
_LOCK = "select pg_advisory_xact_lock(hashtext('project_members'))"

# Cached responses hold members, so each change counts as one of the catalogue.
_UPSERT = f"""
with {COUNT_CATALOGUE}
insert into project_members as stored
  (project_id, subject, email, role, source, added_by, added_at)
select $1::bigint, $2::text, $3::text, coalesce($4::text, 'member'), 'admin', $5::text,
  $6::timestamptz
where (select count(*) from project_members where project_id = $1) < $7
  or exists (select 1 from project_members where project_id = $1 and subject = $2)
on conflict (project_id, subject) do update
set email = coalesce($3, stored.email), role = coalesce($4, stored.role), source = 'admin'
"""

_REMOVE = f"""
with {COUNT_CATALOGUE}, gone as (
  delete from project_members where project_id = $1 and subject = $2 returning 1)
select exists (select 1 from gone)
"""

_FROM_TOKENS = """
insert into project_members as stored
  (project_id, subject, email, role, source, added_by, added_at)
select project_id, subject, email, role, 'token', subject, $5
from (
  select project_id, subject, coalesce(given.email, known.email) as email,
    coalesce(given.role, known.role, 'member') as role, known.added_at is not null as is_known,
    row_number() over (partition by project_id, known.added_at is null order by subject) + (
      select count(*) from project_members as other where other.project_id = projects.project_id
    ) as number
  from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as given(slug, subject, email, role)
  join projects using (slug)
  left join project_members as known using (project_id, subject)) as claimed
where is_known or number <= $6
order by project_id, subject
on conflict (project_id, subject) do update set email = excluded.email, role = excluded.role
where stored.source = 'token'
  and (stored.email, stored.role) is distinct from (excluded.email, excluded.role)
"""
