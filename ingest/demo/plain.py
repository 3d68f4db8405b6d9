"""The plain format that the demo's events are written in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

SOURCE = "demo"

# An event with its time, by which all are sorted.
Timed = tuple[datetime, dict[str, Any]]


def event(kind: str, event_id: str, at: datetime, fields: Mapping[str, Any]) -> Timed:
    """An event of this type; fields that are None are left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    named = {"id": event_id, "type": kind, "time": at.isoformat(), "source": SOURCE}
    return at, named | given
