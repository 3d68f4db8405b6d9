"""The tables of errors, and the words and numbers in them.

An occurrence has a fingerprint, and a fingerprint belongs to an error: at first to one of its own,
which has the same id, and after a merge to another one.
"""

from enum import IntEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from storage.metadata import metadata

TIME = DateTime(timezone=True)

# From the least to the worst; their places are stored.
SEVERITIES = ("low", "medium", "high", "critical")


class ErrorStatus(IntEnum):
    """The status of an error. A merged one is part of another."""

    OPEN = 0
    RESOLVED = 1
    IGNORED = 2
    MERGED = 3


class Facet(IntEnum):
    """What the occurrences of an error are counted by, beside their series."""

    RELEASE = 1  # '' stands for none
    FUNCTION = 2
    DEPLOYMENT = 3  # its UUID


class Kept(IntEnum):
    """Why a body is stored: for good, or until a later one of its fingerprint comes."""

    SAMPLE = 0
    LAST = 1


def _key(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _count(name: str, kind: Any = BigInteger) -> Column[Any]:
    return Column(name, kind, nullable=False, server_default="0")


def _summary() -> list[Column[Any]]:
    """What is known of some occurrences; the title and what follows are those of the latest."""
    return [
        Column("title", Text, nullable=False),
        Column("error_type", Text),
        Column("culprit", Text),
        Column("severity", SmallInteger, nullable=False),
        Column("platform", Text),
        Column("first_at", TIME, nullable=False),
        Column("first_event_id", Uuid, nullable=False),
        Column("first_release", Text),
        Column("last_at", TIME, nullable=False),
        Column("last_event_id", Uuid, nullable=False),
        Column("last_release", Text),
        _count("occurrences"),
    ]


errors = Table(
    "errors",
    metadata,
    _key("project_id", BigInteger),
    _key("error_id", Uuid),
    *_summary(),
    _count("user_count", Integer),
    # What it is now, and what people decided, which later occurrences may overrule.
    _count("status", SmallInteger),
    _count("decision", SmallInteger),
    Column("decided_at", TIME),
    Column("decided_by", Text),
    Column("resolved_in", Text),
    Column("resolved_after", Text),  # resolved in the release after this one
    Column("ignored_until", TIME),
    Column("ignored_count", BigInteger),
    Column("ignored_release", Text),
    Column("regressed_at", TIME),
    Column("regressed_release", Text),
    _count("regressions", Integer),
    Column("assigned_to", Text),
    Column("merged_into", Uuid),
    postgresql_with={"fillfactor": 70},
)
Index("errors_last_idx", errors.c.project_id, errors.c.last_at.desc(), errors.c.error_id)
Index("errors_last_overall_idx", errors.c.last_at.desc(), errors.c.project_id, errors.c.error_id)
Index("errors_first_idx", errors.c.project_id, errors.c.first_at.desc(), errors.c.error_id)
Index("errors_count_idx", errors.c.project_id, errors.c.occurrences.desc(), errors.c.error_id)
Index(
    "errors_ignored_idx",
    errors.c.ignored_until,
    postgresql_where=errors.c.ignored_until.is_not(None),
)

fingerprints = Table(
    "error_fingerprints",
    metadata,
    _key("project_id", BigInteger),
    _key("fingerprint_id", Uuid),
    Column("error_id", Uuid, nullable=False),
    # The same in every project.
    Column("signature", Uuid, nullable=False),
    Column("grouping", JSONB, nullable=False),
    *_summary(),
    Column("users", LargeBinary),  # a sketch: see storage.error_groups.users
    # The bodies sampled are fewer the more occurrences a day brings.
    Column("sampled_on", Date),
    _count("sampled_of", Integer),
    postgresql_with={"fillfactor": 70},
)
Index("error_fingerprints_error_idx", fingerprints.c.project_id, fingerprints.c.error_id)
Index("error_fingerprints_signature_idx", fingerprints.c.signature)


def _counts(name: str) -> Table:
    """The occurrences of each fingerprint, by bucket and series."""
    table = Table(
        name,
        metadata,
        _key("project_id", BigInteger),
        _key("fingerprint_id", Uuid),
        _key("bucket", TIME),
        _key("series_id", Integer),
        _count("occurrences", Integer),
        postgresql_with={"fillfactor": 70},
    )
    Index(f"{name}_bucket_idx", table.c.project_id, table.c.bucket)
    return table


error_hours = _counts("error_hours")
error_days = _counts("error_days")

facets = Table(
    "error_facets",
    metadata,
    _key("project_id", BigInteger),
    _key("fingerprint_id", Uuid),
    _key("facet", SmallInteger),
    _key("value", Text),
    _count("occurrences"),
    Column("first_at", TIME, nullable=False),
    Column("last_at", TIME, nullable=False),
    postgresql_with={"fillfactor": 70},
)
Index("error_facets_value_idx", facets.c.project_id, facets.c.facet, facets.c.value)

bodies = Table(
    "error_bodies",
    metadata,
    _key("project_id", BigInteger),
    _key("occurred_at", TIME),
    _key("event_id", Uuid),
    Column("fingerprint_id", Uuid, nullable=False),
    Column("kept", SmallInteger, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("search", TSVECTOR, nullable=False),
    Column("maps_after", TIME),  # see storage.error_groups.mapping
    postgresql_partition_by="RANGE (occurred_at)",
)
Index(
    "error_bodies_fingerprint_idx",
    bodies.c.project_id,
    bodies.c.fingerprint_id,
    bodies.c.occurred_at.desc(),
)
Index(
    "error_bodies_last_idx",
    bodies.c.project_id,
    bodies.c.fingerprint_id,
    postgresql_where=text("kept = 1"),
)
Index(
    "error_bodies_maps_idx",
    bodies.c.project_id,
    text("(body ->> 'release')"),
    postgresql_where=bodies.c.maps_after.is_not(None),
)
Index("error_bodies_search_idx", bodies.c.search, postgresql_using="gin")

comments = Table(
    "error_comments",
    metadata,
    _key("project_id", BigInteger),
    _key("error_id", Uuid),
    _key("comment_id", Uuid),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
)

releases = Table(
    "releases",
    metadata,
    _key("project_id", BigInteger),
    _key("release", Text),
    # The earliest event with it, and the UTC day of the latest.
    Column("first_at", TIME, nullable=False),
    Column(
        "last_on", Date, nullable=False, server_default=text("(now() at time zone 'UTC')::date")
    ),
)
