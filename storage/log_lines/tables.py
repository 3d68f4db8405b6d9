"""The tables beside the rows of log lines."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from storage.metadata import metadata

TIME = DateTime(timezone=True)


def _key(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


log_texts = Table(
    "log_texts",
    metadata,
    _key("project_id", BigInteger),
    _key("occurred_at", TIME),
    _key("event_id", Uuid),
    Column("message", Text),
    Column("fields", JSONB),
    # Its words, and marks of its project, time, level and series: see storage.log_lines.marks.
    Column("search", TSVECTOR, nullable=False),
    postgresql_partition_by="RANGE (occurred_at)",
)
Index("log_texts_search_idx", log_texts.c.search, postgresql_using="gin")

# How many lines came of a UTC day: those of level warn and up, and the others.
log_days = Table(
    "log_days",
    metadata,
    _key("project_id", BigInteger),
    _key("day", TIME),
    _key("problems", Boolean),
    Column("lines", BigInteger, nullable=False),
)
