"""Values for arguments: the harmless ones, by type."""

from datetime import UTC, datetime, timedelta
from typing import Any

from graphql import get_nullable_type, is_enum_type, is_scalar_type

from tests.crawl.documents import required

SCALARS: dict[str, Any] = {
    "String": "nothing-of-this-name",
    "ID": "UHJvamVjdDo5OTk5OTk",
    "UUID": "123e4567-e89b-42d3-a456-426614174000",
    "Int": 5,
    "Long": 5,
    "Float": 0.5,
    "Boolean": True,
    "JSON": {"ticket": 1},
    "DateTime": "2026-01-31T12:00:00Z",
    "Date": "2026-01-31",
    "Duration": "P7D",
    "TimeZone": "Europe/Berlin",
}


def harmless(kind: Any, place: str, name: str) -> Any:
    """A value of the type that names nothing anybody has."""
    inner = get_nullable_type(kind)
    if is_enum_type(inner):
        return next(iter(inner.values))
    if is_scalar_type(inner):
        assert inner.name in SCALARS, f"{place}: say what a harmless {inner.name} is"
        if inner.name == "DateTime":
            return _time(name)
        return SCALARS[inner.name]
    return required(inner, place, name, harmless)


def _time(name: str) -> str:
    """Ranges run from a week ago until yesterday."""
    days = 7 if name in {"start", "gte", "gt"} else 1
    return (datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)).isoformat()
