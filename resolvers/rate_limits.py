"""Rate limits as admins see and change them."""

from __future__ import annotations

from dataclasses import dataclass

from access.limits import (
    CENTURY_SECONDS,
    EVERYBODY,
    MAX_PERIOD_SECONDS,
    MAX_REFILL,
    Limit,
    Rule,
    is_budget,
)
from resolvers.context import Context
from resolvers.recording import UserError
from storage.admin import rate_limits as table
from storage.buckets import SECOND_US

MAX_NAME_LENGTH = 300


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A rule in force; without a subject it is everybody's."""

    budget: str
    subject: str | None
    limit: int
    window_seconds: int
    burst: int
    exempt: bool
    is_default: bool

    @classmethod
    def of(cls, rule: Rule, is_set: bool) -> RateLimit:
        limit = rule.limit
        return cls(
            rule.budget,
            rule.subject or None,
            limit.refill,
            limit.period_seconds,
            limit.burst,
            limit.exempt,
            not is_set,
        )


@dataclass(frozen=True, slots=True)
class SetRateLimit:
    """The rule as it now is, or what stands in the way."""

    rate_limit: RateLimit | None
    user_errors: list[UserError]


async def rate_limits(context: Context) -> list[RateLimit]:
    """All rules there are, by budget and subject."""
    rows = await table.every(context.services.database)
    rules = context.services.limits.with_overrides(
        Rule(
            row["budget"],
            row["subject"],
            Limit(row["refill"], row["period_seconds"], row["burst"], row["exempt"]),
        )
        for row in rows
    )
    return [RateLimit.of(rule, is_set) for rule, is_set in rules.every()]


async def set_rate_limit(context: Context, rule: Rule) -> SetRateLimit:
    if errors := _errors(rule):
        return SetRateLimit(None, errors)
    limit = rule.limit
    async with context.transaction() as connection:
        done = await table.put(
            connection,
            (rule.budget, rule.subject),
            (limit.refill, limit.period_seconds, limit.burst, limit.exempt),
            context.viewer.subject,
            context.now,
        )
    if not done:
        message = f"There are {table.RULES_AT_MOST} rules, which is the most there may be."
        return SetRateLimit(None, [UserError(None, "TOO_MANY", message)])
    return SetRateLimit(RateLimit.of(rule, is_set=True), [])


async def delete_rate_limit(context: Context, budget: str, subject: str | None) -> bool:
    """Take back what was set; what the settings say holds again. False where nothing was set."""
    async with context.transaction() as connection:
        return await table.delete(connection, budget, subject or EVERYBODY)


def _errors(rule: Rule) -> list[UserError]:
    errors: list[UserError] = []
    limit = rule.limit
    if not is_budget(rule.budget) or len(rule.budget) > MAX_NAME_LENGTH:
        known = "requests, address, cost, events, kibibytes or operation:<root field>"
        errors.append(UserError("budget", "INVALID_VALUE", f"One of {known}."))
    if len(rule.subject) > MAX_NAME_LENGTH or "\0" in rule.subject:
        errors.append(UserError("subject", "INVALID_VALUE", "At most 300 characters."))
    if not 1 <= limit.period_seconds <= MAX_PERIOD_SECONDS:
        message = f"Between 1 and {MAX_PERIOD_SECONDS} seconds."
        errors.append(UserError("windowSeconds", "INVALID_VALUE", message))
    elif not 1 <= limit.refill <= min(MAX_REFILL, limit.period_seconds * SECOND_US):
        errors.append(UserError("limit", "INVALID_VALUE", "Between 1 and a million a second."))
    if not 0 <= limit.burst <= MAX_REFILL:
        errors.append(UserError("burst", "INVALID_VALUE", f"Between 0 and {MAX_REFILL}."))
    elif limit.burst * limit.period_seconds > max(1, limit.refill) * CENTURY_SECONDS:
        message = "To save that up would take more than a hundred years."
        errors.append(UserError("burst", "INVALID_VALUE", message))
    return errors
