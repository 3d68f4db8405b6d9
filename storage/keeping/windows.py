"""Retention: how long each kind of row is kept, and how many texts of log lines."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from storage.facts.fact import EventKeep, Floors
from storage.times import full_hour, midnight


@dataclass(frozen=True, slots=True)
class Retention:
    """How long to keep each kind of row; 0 keeps it forever.

    Of a project's log lines of one UTC day, so many of level warn and up, and as many of the
    others, keep their text.
    """

    events_days: int = 90
    error_days: int = 30
    log_days: int = 30
    fine_days: int = 90
    day_days: int = 365
    minute_hours: int = 48
    audit_days: int = 365
    log_texts_per_day: int = 200_000

    def floors(self, now: datetime) -> Floors:
        """The earliest bucket that is kept of each kind of roll-up, at midnight UTC."""
        return _floors(self, full_hour(now))

    def audit_floor(self, now: datetime) -> datetime | None:
        return _floor(now, timedelta(days=self.audit_days))

    def events_floor(self, now: datetime, kept: EventKeep = EventKeep.EVENTS) -> datetime | None:
        """The earliest moment from which all events are kept."""
        return _floor(now, timedelta(days=self.days_of(kept)))

    def days_of(self, kept: EventKeep) -> int:
        """The days that events are kept; 0 for ever."""
        days = {
            EventKeep.EVENTS: self.events_days,
            EventKeep.ERRORS: self.error_days,
            EventKeep.LOGS: self.log_days,
        }
        return days[kept]


DEFAULT = Retention()


# Called for every statement; within an hour the result is the same.
@lru_cache(maxsize=64)
def _floors(retention: Retention, hour: datetime) -> Floors:
    return Floors(
        minute=_floor(hour, timedelta(hours=retention.minute_hours)),
        fine=_floor(hour, timedelta(days=retention.fine_days)),
        day=_floor(hour, timedelta(days=retention.day_days)),
    )


def _floor(now: datetime, window: timedelta) -> datetime | None:
    """The midnight UTC at or before the window's start, so that only whole days are deleted."""
    return midnight(now - window) if window else None
