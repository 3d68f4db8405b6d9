"""Service tokens as they are kept: never the token itself, only the hash of its secret."""

from sqlalchemy import ARRAY, Column, DateTime, LargeBinary, Table, Text, Uuid

from storage.metadata import metadata

service_tokens = Table(
    "service_tokens",
    metadata,
    Column("token_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("project_slugs", ARRAY(Text), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Column("revoked_by", Text),
    Column("last_used_at", DateTime(timezone=True)),
)
