"""Deployments: status events as received, the state folded from them, and its components."""

from datetime import timedelta
from enum import IntEnum

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    case,
    func,
    literal,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.facts.fact import (
    SERIES_DIMENSIONS,
    Cell,
    Clock,
    Component,
    Fact,
    Grain,
    Histogram,
    Keep,
    PartitionSpan,
    Presence,
    Reach,
)
from storage.metadata import metadata


class Status(IntEnum):
    """The state of a deployment."""

    QUEUED = 0
    IN_PROGRESS = 1
    SUCCEEDED = 2
    FAILED = 3
    CANCELLED = 4
    ROLLED_BACK = 5


class EventType(IntEnum):
    """The type of a status event."""

    QUEUED = 0
    STARTED = 1
    PROGRESS = 2
    SUCCEEDED = 3
    FAILED = 4
    CANCELLED = 5
    ROLLED_BACK = 6


STATUS_OF_EVENT = {
    EventType.QUEUED: Status.QUEUED,
    EventType.STARTED: Status.IN_PROGRESS,
    EventType.PROGRESS: Status.IN_PROGRESS,
    EventType.SUCCEEDED: Status.SUCCEEDED,
    EventType.FAILED: Status.FAILED,
    EventType.CANCELLED: Status.CANCELLED,
    EventType.ROLLED_BACK: Status.ROLLED_BACK,
}

# The highest rank wins, in whatever order events arrive; a rollback outranks any finish.
RANK_OF_STATUS = {
    Status.QUEUED: 0,
    Status.IN_PROGRESS: 1,
    Status.SUCCEEDED: 2,
    Status.FAILED: 2,
    Status.CANCELLED: 2,
    Status.ROLLED_BACK: 3,
}

_TIME = DateTime(timezone=True)

deployment_events = Table(
    "deployment_events",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("occurred_at", _TIME, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("deployment_id", Uuid, nullable=False),
    Column("type", SmallInteger, nullable=False),
    Column("environment", Text),
    Column("network", Text),
    Column("template", Text),
    Column("framework", Text),
    Column("duration_us", BigInteger),
    Column("actor", Text),
    Column("to_deployment", Text),
    Column("error", Text),
    Column("attributes", JSONB),
    Column("source", Text),
    Column("external_id", Text),
    postgresql_partition_by="RANGE (occurred_at)",
)
Index(
    "deployment_events_history_idx",
    deployment_events.c.project_id,
    deployment_events.c.deployment_id,
    deployment_events.c.occurred_at.desc(),
)

deployments = Table(
    "deployments",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("deployment_id", Uuid, primary_key=True),
    Column("external_id", Text),
    Column("series_id", Integer),
    Column("status", SmallInteger),
    Column("state_rank", SmallInteger),
    Column("state_at", _TIME),
    Column("state_event_id", Uuid),
    Column("created_at", _TIME),
    Column("started_at", _TIME),
    Column("finished_at", _TIME),
    Column("finish_event_id", Uuid),
    Column("finish_status", SmallInteger),
    Column("finish_duration_us", BigInteger),
    Column("duration_us", BigInteger),
    Column("rolled_back_at", _TIME),
    Column("environment", Text),
    Column("network", Text),
    Column("template", Text),
    Column("framework", Text),
    Column("actor", Text),
    Column("to_deployment", Text),
    Column("error", Text),
    Column("attributes", JSONB),
    Column("attribute_keys", JSONB),
    Column("revision", Integer, nullable=False, server_default="0"),
)
Index(
    "deployments_newest_idx",
    deployments.c.project_id,
    deployments.c.created_at.desc(),
    deployments.c.deployment_id,
)
Index(
    "deployments_newest_overall_idx",
    deployments.c.created_at.desc(),
    deployments.c.project_id,
    deployments.c.deployment_id,
)
Index("deployments_finished_idx", deployments.c.project_id, deployments.c.finished_at)
Index("deployments_finished_overall_idx", deployments.c.finished_at)


def _current(name: str, status: Status) -> Component:
    """Counts the deployments created in a bucket that have this status now."""
    value = case((deployments.c.status == int(status), 1), else_=0)
    return Component(name, Clock.CREATED, value)


def _finish(name: str, status: Status) -> Component:
    """Counts the deployments finished in a bucket with this status, whatever came after."""
    value = case((deployments.c.finish_status == int(status), 1), else_=0)
    return Component(name, Clock.FINISHED, value)


_DURATION = deployments.c.duration_us
_TOTAL = Cell(0, "total", ())
_NETWORK = Cell(1, "network", ("network_id",))
_FINEST = Cell(2, "finest", SERIES_DIMENSIONS)
_ENVIRONMENT = Cell(3, "environment", ("environment_id",))
_CELLS = (_TOTAL, _NETWORK, _FINEST, _ENVIRONMENT)

DEPLOYMENTS = Fact(
    name="deployment",
    table=deployments,
    key=("project_id", "deployment_id"),
    clocks={Clock.CREATED: "created_at", Clock.FINISHED: "finished_at"},
    components=(
        Component("attempts", Clock.CREATED, literal(1)),
        _current("succeeded", Status.SUCCEEDED),
        _current("failed", Status.FAILED),
        _current("cancelled", Status.CANCELLED),
        _current("rolled_back", Status.ROLLED_BACK),
        Component("finishes", Clock.FINISHED, literal(1)),
        _finish("finishes_succeeded", Status.SUCCEEDED),
        _finish("finishes_failed", Status.FAILED),
        _finish("finishes_cancelled", Status.CANCELLED),
        # The number of known durations, and their sum.
        Component("timed", Clock.FINISHED, case((_DURATION.is_not(None), 1), else_=0)),
        Component("duration_us", Clock.FINISHED, func.coalesce(_DURATION, 0), large=True),
    ),
    cells=_CELLS,
    grains=(
        # Alert rules and live tiles need percentiles per minute only of a whole project.
        Grain(
            "minute", timedelta(minutes=1), Reach.PROJECT, Keep.MINUTE, (_TOTAL,), PartitionSpan.DAY
        ),
        Grain("hour", timedelta(hours=1), Reach.PROJECT, Keep.FINE, _CELLS),
        Grain("day", timedelta(days=1), Reach.PROJECT, Keep.DAY, _CELLS),
        Grain("quarter", timedelta(minutes=15), Reach.PLATFORM, Keep.FINE, _CELLS),
        Grain("day", timedelta(days=1), Reach.PLATFORM, Keep.DAY, _CELLS),
    ),
    presences=(
        Presence("hour", timedelta(hours=1), Keep.FINE),
        Presence("day", timedelta(days=1), Keep.DAY),
    ),
    presence_component="attempts",
    # From a quarter of a second to three days: 20 doublings of 256 ms.
    histogram=Histogram(base_us=256_000),
    histogram_clock=Clock.FINISHED,
    histogram_column="duration_us",
)
