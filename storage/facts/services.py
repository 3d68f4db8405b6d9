"""Deployments and rollbacks of services from CDEvents, to match a rollback to a deployment."""

from enum import IntEnum

from sqlalchemy import BigInteger, Column, DateTime, SmallInteger, Table, Text, Uuid

from storage.metadata import metadata


class ServiceEvent(IntEnum):
    """The type of a service event."""

    DEPLOYED = 0
    ROLLED_BACK = 1


# A rollback names no deployment: it undoes the latest one before it, stored in `deployment_id`.
# The primary key finds that deployment, and the rollbacks after one, without reading more rows.
service_events = Table(
    "service_events",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("environment", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("occurred_at", DateTime(timezone=True), primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("deployment_id", Uuid, nullable=False),
)
