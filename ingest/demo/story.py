"""The incidents planted in the demo, and their times. Docs: docs/demo.md."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingest.demo.cast import HYPERION

DAYS = 60

OUTAGE_NETWORK = HYPERION
OUTAGE_FAILURE_RATE = 0.5
SLOW_FRAMEWORK = "nextjs"
SLOW_FACTOR = 2.6
STOPPED_PROJECT = "legacy-portal"
RISING_TEMPLATE = "open-webui"
RISING_PROJECTS = ("assistant", "analytics-board", "support-desk", "notifications")
ROLLED_BACK_PROJECT = "checkout"
ROLLED_BACK = 6
RUNNING_NOW = 6
QUEUED_NOW = 4


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open period: it includes its start and not its end."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Story:
    """The times of the planted incidents, relative to a given moment."""

    whole: Period
    outage: Period
    slow_week: Period
    bad_release: Period
    stopped_at: datetime
    rising_since: datetime

    @classmethod
    def at(cls, now: datetime) -> "Story":
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

        def moment(days_ago: int, hour: int = 0) -> datetime:
            return today - timedelta(days=days_ago) + timedelta(hours=hour)

        return cls(
            whole=Period(moment(DAYS - 1), now),
            outage=Period(moment(3, 13), moment(3, 17)),
            slow_week=Period(moment(21), moment(14)),
            bad_release=Period(moment(9, 14), moment(9, 16)),
            stopped_at=moment(18),
            rising_since=moment(20),
        )
