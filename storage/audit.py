"""The audit log as it is kept; entries are only ever added, and dropped when old."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from storage.metadata import metadata

audit_log = Table(
    "audit_log",
    metadata,
    Column("entry_id", BigInteger, Identity(), primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("subject", Text, nullable=False),
    Column("token_id", Uuid),
    Column("action", Text, nullable=False),
    Column("target", Text),
    Column("outcome", Text, nullable=False),
    # How often it happened: uses of a token within a minute share one entry.
    Column("times", Integer, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Index(None, "recorded_at", "entry_id"),
)
