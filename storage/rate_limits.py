"""Rate limits that admins have set, as they are kept."""

from sqlalchemy import Boolean, Column, DateTime, Integer, Table, Text

from storage.metadata import metadata

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("budget", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("refill", Integer, nullable=False),
    Column("period_seconds", Integer, nullable=False),
    Column("burst", Integer, nullable=False),
    Column("exempt", Boolean, nullable=False),
    Column("updated_by", Text, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
