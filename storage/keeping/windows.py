"""Retention windows: how long each kind of row is kept, and the earliest moment that still is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from storage.facts.fact import Floors


@dataclass(frozen=True, slots=True)
class Retention:
    """How long to keep what; 0 keeps it forever."""

    events_days: int = 90
    fine_days: int = 90
    day_days: int = 365
    minute_hours: int = 48
    feed_hours: int = 24
    audit_days: int = 365

    def floors(self, now: datetime) -> Floors:
        """The earliest bucket of each kind of roll-up that is still kept, on a UTC day."""
        return _floors(self, now.astimezone(UTC).replace(minute=0, second=0, microsecond=0))

    def audit_floor(self, now: datetime) -> datetime | None:
        return _floor(now, timedelta(days=self.audit_days))

    def events_floor(self, now: datetime) -> datetime | None:
        return _floor(now, timedelta(days=self.events_days))


DEFAULT = Retention()


# Every statement asks, and within an hour the answer is the same.
@lru_cache(maxsize=64)
def _floors(kept: Retention, hour: datetime) -> Floors:
    return Floors(
        minute=_floor(hour, timedelta(hours=kept.minute_hours)),
        fine=_floor(hour, timedelta(days=kept.fine_days)),
        day=_floor(hour, timedelta(days=kept.day_days)),
    )


def _floor(now: datetime, kept: timedelta) -> datetime | None:
    """Whole days, so that a day is either kept in full or not at all."""
    if not kept:
        return None
    moment = (now - kept).astimezone(UTC)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
