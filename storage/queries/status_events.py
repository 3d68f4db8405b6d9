"""Status events: the newest ones of each entity that a statement reads."""

from collections.abc import Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    FromClause,
    Integer,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from storage.facts.fact import Entity
from storage.queries.times import as_text

_COMMON = ("event_id", "external_id", "type", "occurred_at", "duration_us", "source")


@cache
def _columns(fact: Entity) -> tuple[Column[Any], ...]:
    """What is read of an event: what all facts have, then the fact's own short columns."""
    source = fact.events.c
    own = (name for name in fact.columns if not isinstance(source[name].type, JSONB))
    return tuple(source[name] for name in (*_COMMON, *own))


class StatusEvent(tuple[Any, ...]):
    """A status event: its columns as JSON values, in the order of `_columns`."""

    __slots__ = ()
    statuses: tuple[int, ...]  # by type of event: faster than a look-up in the lifecycle

    id = property(itemgetter(0))
    external_id = property(itemgetter(1))
    type = property(itemgetter(2))  # an int, equal to a member of the fact's types
    occurred_at = property(itemgetter(3))
    duration_ms = property(lambda self: None if self[4] is None else self[4] / 1000)
    source = property(itemgetter(5))
    status = property(lambda self: self.statuses[self[2]])


@cache
def event_class(fact: Entity) -> type[StatusEvent]:
    """The class of a fact's status events, which has its own columns as properties."""
    statuses = tuple(status for _, status in sorted(fact.lifecycle.status_of.items()))
    own = list(enumerate(_columns(fact)))[len(_COMMON) :]
    members = {column.name: property(itemgetter(index)) for index, column in own}
    name = f"{fact.stem}Event"
    return type(name, (StatusEvent,), {"__slots__": (), "statuses": statuses} | members)


def status_events(fact: Entity, rows: Sequence[Sequence[Any]] | None) -> list[StatusEvent]:
    """The events in a value of `newest`."""
    return [] if rows is None else list(map(event_class(fact), rows))


def newest(fact: Entity, entity: FromClause) -> Any:
    """An entity's newest status events as one JSON value, which is cheaper than rows.

    It is null if there are none. The parameter `events` limits their number.
    """
    # Of events at the same time, the one with the higher type is later.
    source, id = fact.events.c, fact.id_column
    order = (source.occurred_at.desc(), source.type.desc(), source.event_id.desc())
    found = (
        select(*_columns(fact))
        .where(
            source.project_id == entity.c.project_id,
            source[id] == entity.c[id],
            # No event is earlier than its entity, so older partitions are not opened.
            source.occurred_at >= entity.c.created_at,
        )
        .order_by(*order)
        .limit(bindparam("events", type_=Integer, required=True))
        .correlate(entity)
        .lateral("event")
    )
    event: Any = func.json_build_array(*as_text(found.c))
    by_time = (found.c.occurred_at.desc(), found.c.type.desc(), found.c.event_id.desc())
    events = func.json_agg(aggregate_order_by(event, *by_time), type_=JSON)
    return select(events.label("status_events")).select_from(found).lateral("newest")
