"""How much of what each may take: budgets, the limits that apply to them, and who is exempt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from storage.buckets import SECOND_US, Take

EVERYBODY = ""
OPERATION = "operation:"

MAX_REFILL = 1_000_000_000
MAX_PERIOD_SECONDS = 86_400
# No bucket is farther from full: stores reckon in microseconds, and hold so many.
CENTURY_SECONDS = 100 * 366 * 86_400


class Budget(StrEnum):
    """What is limited. Beside these, `operation:<root field>` limits one field of the schema."""

    REQUESTS = "requests"
    ADDRESS = "address"
    COST = "cost"
    EVENTS = "events"
    KIBIBYTES = "kibibytes"


MEANINGS: Mapping[Budget, str] = {
    Budget.REQUESTS: "GraphQL requests of one viewer or service token",
    Budget.ADDRESS: "requests without a valid token from one address",
    Budget.COST: "points of query cost of one viewer or service token",
    Budget.EVENTS: "events sent for one project",
    Budget.KIBIBYTES: "KiB of events sent by one viewer or service token",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """`refill` tokens in `period_seconds`, and `burst` more that may have been saved up."""

    refill: int
    period_seconds: int = 60
    burst: int = 0
    exempt: bool = False

    @property
    def capacity(self) -> int:
        return self.refill + self.burst

    def take(self, key: str, cost: int) -> Take:
        # Whole microseconds; what is beyond one a microsecond is no limit any more.
        step_us = max(1, self.period_seconds * SECOND_US // self.refill)
        return Take(key, step_us, self.capacity, cost)


def is_budget(name: str) -> bool:
    return name in set(Budget) or (name.startswith(OPERATION) and len(name) > len(OPERATION))


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit of a budget for one subject, or for everybody."""

    budget: str
    subject: str
    limit: Limit


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits of the settings under those that admins have set, the more special first."""

    defaults: Mapping[str, Limit]
    overrides: Mapping[tuple[str, str], Limit] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.defaults or self.overrides)

    def of(self, budget: str, subject: str) -> Limit | None:
        """The limit that applies; None where nothing is limited."""
        limit = (
            self.overrides.get((budget, subject))
            or self.overrides.get((budget, EVERYBODY))
            or self.defaults.get(budget)
        )
        return None if limit is None or limit.exempt else limit

    def with_overrides(self, rules: Iterable[Rule]) -> "Rules":
        return Rules(self.defaults, {(rule.budget, rule.subject): rule.limit for rule in rules})

    def every(self) -> list[tuple[Rule, bool]]:
        """All rules there are, and whether an admin has set each."""
        given = [
            (Rule(budget, EVERYBODY, limit), False)
            for budget, limit in self.defaults.items()
            if (budget, EVERYBODY) not in self.overrides
        ]
        set_ = [(Rule(*name, limit), True) for name, limit in self.overrides.items()]
        return sorted(given + set_, key=lambda each: (each[0].budget, each[0].subject))


NO_LIMITS = Rules({})
