"""Makes the tables of facts."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.dimensions import Dimension
from storage.metadata import metadata

TIME = DateTime(timezone=True)


def states_table(
    name: str, dimensions: Iterable[Dimension], columns: Iterable[Column[Any]]
) -> Table:
    """The states of entities, folded from their events."""
    table = f"{name}s"
    states = Table(
        table,
        metadata,
        _key("project_id", BigInteger),
        _key(f"{name}_id", Uuid),
        Column("external_id", Text),
        Column("series_id", Integer),
        Column("status", SmallInteger),
        Column("state_rank", SmallInteger),
        Column("state_at", TIME),
        Column("state_event_id", Uuid),
        Column("created_at", TIME),
        Column("started_at", TIME),
        Column("finished_at", TIME),
        Column("updated_at", TIME),
        Column("finish_event_id", Uuid),
        Column("finish_status", SmallInteger),
        Column("finish_duration_us", BigInteger),
        Column("duration_us", BigInteger),
        *(Column(dimension.name, Text) for dimension in dimensions),
        *_copies(columns),
        Column("attribute_keys", JSONB),
        Column("revision", Integer, nullable=False, server_default="0"),
    )
    c = states.c
    Index(f"{table}_newest_idx", c.project_id, c.created_at.desc(), c[f"{name}_id"])
    Index(f"{table}_newest_overall_idx", c.created_at.desc(), c.project_id, c[f"{name}_id"])
    Index(f"{table}_finished_idx", c.project_id, c.finished_at)
    Index(f"{table}_finished_overall_idx", c.finished_at)
    return states


def events_table(
    name: str, dimensions: Iterable[Dimension], columns: Iterable[Column[Any]]
) -> Table:
    """The status events of entities, as received."""
    events = Table(
        f"{name}_events",
        metadata,
        *_event_key(),
        Column(f"{name}_id", Uuid, nullable=False),
        Column("type", SmallInteger, nullable=False),
        *(Column(dimension.name, Text) for dimension in dimensions),
        Column("duration_us", BigInteger),
        *_copies(columns),
        Column("source", Text),
        Column("external_id", Text),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    c = events.c
    Index(f"{name}_events_history_idx", c.project_id, c[f"{name}_id"], c.occurred_at.desc())
    return events


def rows_table(
    name: str, dimensions: Iterable[Dimension], columns: Iterable[Column[Any]], indexed: str
) -> Table:
    """The rows of an append fact, each of which is an event."""
    table = f"{name}s"
    rows = Table(
        table,
        metadata,
        *_event_key(),
        Column("series_id", Integer, nullable=False),
        *(Column(dimension.name, Text) for dimension in dimensions if not dimension.interned),
        *columns,
        Column("external_id", Text),  # null if it is the event's UUID
        postgresql_partition_by="RANGE (occurred_at)",
    )
    c = rows.c
    Index(f"{table}_{indexed}_idx", c.project_id, c[indexed], c.occurred_at.desc())
    return rows


def running_table(name: str) -> Table:
    """What has started, and may still run."""
    table = f"running_{name}s"
    running = Table(
        table,
        metadata,
        _key("project_id", BigInteger),
        _key("pair_id", Uuid),
        Column("at", TIME, nullable=False),  # the start, or the end where it came first
        Column("series_id", Integer, nullable=False),
        Column("started", Boolean, nullable=False),
        Column("ended", Boolean, nullable=False),
        Column("external_id", Text),
    )
    Index(f"{table}_at_idx", running.c.project_id, running.c.at)
    return running


def series_table(
    name: str, dimensions: Iterable[Dimension], more: Iterable[Column[Any]] = ()
) -> Table:
    """A project's combinations of dimensions."""
    names = [dimension.column for dimension in dimensions]
    return Table(
        f"{name}_series",
        metadata,
        _key("project_id", BigInteger),
        _key("series_id", Integer),
        *(Column(column, Integer, nullable=False) for column in names),
        *more,
        UniqueConstraint("project_id", *names, name=f"{name}_series_dimensions_key"),
    )


def _event_key() -> list[Column[Any]]:
    return [_key("project_id", BigInteger), _key("occurred_at", TIME), _key("event_id", Uuid)]


def _key(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _copies(columns: Iterable[Column[Any]]) -> list[Column[Any]]:
    """The columns for one more table."""
    return [Column(column.name, column.type, nullable=column.nullable) for column in columns]
