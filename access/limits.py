"""Rate limits: budgets, their limits, and exemptions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from storage.buckets import SECOND_US, Take

EVERYBODY = ""
OPERATION = "operation:"

MAX_REFILL = 1_000_000_000
MAX_PERIOD_SECONDS = 86_400
# The longest time to fill a bucket: stores count it in microseconds.
CENTURY_SECONDS = 100 * 366 * 86_400


class Budget(StrEnum):
    """The budgets; besides these, `operation:<root field>` limits one field of the schema."""

    REQUESTS = "requests"
    SUBSCRIPTIONS = "subscriptions"
    ADDRESS = "address"
    COST = "cost"
    EVENTS = "events"
    KIBIBYTES = "kibibytes"


MEANINGS: Mapping[Budget, str] = {
    Budget.REQUESTS: "GraphQL requests of one viewer or service token, without subscriptions",
    Budget.SUBSCRIPTIONS: "subscriptions that one viewer or service token begins",
    Budget.ADDRESS: "requests without a valid token from one address",
    Budget.COST: "points of query cost of one viewer or service token",
    Budget.EVENTS: "events sent for one project",
    Budget.KIBIBYTES: "KiB of events sent by one viewer or service token",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """`refill` tokens in `period_seconds`, and up to `burst` more that were saved."""

    refill: int
    period_seconds: int = 60
    burst: int = 0
    exempt: bool = False

    @property
    def capacity(self) -> int:
        return self.refill + self.burst

    def take(self, key: str, cost: int) -> Take:
        # At least a microsecond: a faster refill is as good as no limit.
        step_us = max(1, self.period_seconds * SECOND_US // self.refill)
        return Take(key, step_us, self.capacity, cost)


def is_budget(name: str) -> bool:
    return name in set(Budget) or (name.startswith(OPERATION) and len(name) > len(OPERATION))


@dataclass(frozen=True, slots=True)
class Rule:
    """A budget's limit for one subject, or for everybody."""

    budget: str
    subject: str
    limit: Limit


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits of the settings, overridden by the limits that admins have set."""

    defaults: Mapping[str, Limit]
    overrides: Mapping[tuple[str, str], Limit] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there are any limits."""
        return bool(self.defaults or self.overrides)

    def of(self, budget: str, subject: str) -> Limit | None:
        """Returns the limit that applies, the subject's own first; None for no limit."""
        limit = (
            self.overrides.get((budget, subject))
            or self.overrides.get((budget, EVERYBODY))
            or self.defaults.get(budget)
        )
        return None if limit is None or limit.exempt else limit

    def with_overrides(self, rows: Iterable[Mapping[str, Any]]) -> "Rules":
        """Returns the same defaults under the limits in these rows of the table."""
        limits = {
            (row["budget"], row["subject"]): Limit(
                row["refill"], row["period_seconds"], row["burst"], row["exempt"]
            )
            for row in rows
        }
        return Rules(self.defaults, limits)

    def every(self) -> list[tuple[Rule, bool]]:
        """Returns all rules by budget and subject, and whether an admin has set each."""
        defaults = {(budget, EVERYBODY): limit for budget, limit in self.defaults.items()}
        limits = defaults | dict(self.overrides)
        return [(Rule(*name, limits[name]), name in self.overrides) for name in sorted(limits)]


NO_LIMITS = Rules({})
