"""Rows of append facts that are nodes: their global ids are made of their keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from resolvers.entity_fields import uuid_of
from resolvers.events import EventRow
from resolvers.identifiers import encode
from storage.queries.times import parse_time

# Project, time and id of an event.
Key = tuple[int, datetime, UUID]

_MOST_DIGITS = 17  # up to the year 5138
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


class EventNode(EventRow):
    """A row of an append fact that has a global id; its type in the schema has the same name."""

    __slots__ = ()
    event_id: Any = property(lambda self: self.row["event_id"])
    project_id: Any = property(lambda self: self.row["project_id"])

    @property
    def id(self) -> str:
        at = parse_time(self.row["occurred_at"])
        microseconds = (at - _EPOCH) // _MICROSECOND
        return encode(type(self).__name__, self.project_id, f"{microseconds}.{self.event_id}")

    @property
    def key(self) -> Key:
        return self.project_id, parse_time(self.row["occurred_at"]), self.event_id


def event_key(project_id: int, key: str) -> Key | None:
    """The key of an event in a global id; None for a text that is none."""
    microseconds, _, id = key.partition(".")
    uuid = uuid_of(id)
    if uuid is None or not microseconds.isdecimal() or len(microseconds) > _MOST_DIGITS:
        return None
    return project_id, _EPOCH + int(microseconds) * _MICROSECOND, uuid
