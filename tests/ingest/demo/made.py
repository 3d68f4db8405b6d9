"""The demo's events at a few moments, and plain counts over them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from ingest.demo.history import history

# A Saturday, early; the others are the days and hours around it.
NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
MOMENTS = [
    NOW.replace(hour=hour, minute=0) + timedelta(days=days) for days in range(7) for hour in (0, 14)
]
SOME, FEW = 4_000, 1_000

Event = dict[str, Any]


@lru_cache
def events_at(now: datetime, deployments: int) -> list[Event]:
    return history(now, deployments)


def of_type(events: Iterable[Event], *kinds: str) -> Iterator[Event]:
    """The events whose type begins with one of these."""
    return (event for event in events if event["type"].startswith(kinds))


def time_of(event: Event) -> datetime:
    return datetime.fromisoformat(event["time"])


def share(events: Iterable[Event], **fields: object) -> float:
    """The share of the events that have these values."""
    matches = [all(event.get(name) == value for name, value in fields.items()) for event in events]
    return sum(matches) / len(matches)


def durations_ms(events: Iterable[Event]) -> list[float]:
    return [event["durationMs"] for event in events]


def p95(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) * 95 // 100]
