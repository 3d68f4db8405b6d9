"""When the demo's incidents happen, and whom they concern. Docs: docs/demo.md."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.demo.cast import ARBITRUM, HYPERION, METIS
from storage.times import midnight

DAYS = 60

OUTAGE_NETWORK = HYPERION
SLOW_FRAMEWORK = "nextjs"
STOPPED_PROJECT = "legacy-portal"
RISING_TEMPLATE = "open-webui"
RISING_PROJECTS = ("assistant", "analytics-board", "support-desk", "notifications")
ROLLED_BACK_PROJECT = "checkout"
SLOW_PHASE, SLOW_PHASE_TEMPLATE = "install", "dashy"
FAULTY_PROJECT, FAULTY_FUNCTION = "storefront", "api-checkout"
BROKEN_PROJECT, BROKEN_ENDPOINT = "price-oracle", "/prices/{pair}"
DOUBTED = "support-desk", "reply"  # a project and a task of its models
SAMPLED_PROJECT, LEAKING_HOST = "explorer", "node-2"
EXPIRING_PROJECT = "docs-site"
UNFIT_TEMPLATE, UNFIT_NETWORK = "uptime-kuma", METIS
RETURNING_PROJECT = "quests"
FAILING_NETWORK = ARBITRUM


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
    """The times of the demo's facts and incidents, relative to a given moment."""

    whole: Period
    phases: Period
    invocations: Period
    api_calls: Period
    model_calls: Period
    samples: Period
    errors: Period
    log_lines: Period
    outage: Period
    slow_week: Period
    bad_release: Period
    faulty_release: Period
    broken_hour: Period
    unfit_template: Period
    resolved_at: datetime
    returned: Period
    failing_now: Period
    stopped_at: datetime
    rising_since: datetime
    slow_phase_since: datetime
    doubted_since: datetime
    leaking_since: datetime

    @classmethod
    def at(cls, now: datetime) -> "Story":
        today = midnight(now)

        def moment(days_ago: int, hour: int = 0) -> datetime:
            return today - timedelta(days=days_ago) + timedelta(hours=hour)

        return cls(
            whole=Period(moment(DAYS - 1), now),
            phases=Period(moment(21), now),
            invocations=Period(moment(14), now),
            api_calls=Period(moment(7), now),
            model_calls=Period(moment(14), now),
            samples=Period(moment(14), now),
            errors=Period(moment(14), now),
            log_lines=Period(moment(14), now),
            outage=Period(moment(3, 13), moment(3, 17)),
            slow_week=Period(moment(21), moment(14)),
            bad_release=Period(moment(9, 14), moment(9, 16)),
            faulty_release=Period(moment(2, 10), moment(2, 12)),
            broken_hour=Period(moment(1, 9), moment(1, 10)),
            unfit_template=Period(moment(4, 12), moment(4, 16)),
            resolved_at=moment(7, 9),
            returned=Period(moment(5, 10), moment(5, 12)),
            failing_now=Period(now - timedelta(minutes=40), now),
            stopped_at=moment(18),
            rising_since=moment(20),
            slow_phase_since=moment(6),
            doubted_since=moment(2),
            leaking_since=moment(1),
        )
