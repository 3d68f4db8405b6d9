"""Rate limits: admins list and change them."""

from __future__ import annotations

from collections.abc import Iterator

from access.limits import (
    CENTURY_SECONDS,
    EVERYBODY,
    MAX_PERIOD_SECONDS,
    MAX_REFILL,
    Rule,
    is_budget,
)
from resolvers.context import Context
from resolvers.user_errors import UserError, too_many, wrong
from storage.admin import rate_limits as table
from storage.buckets import SECOND_US

MAX_NAME_LENGTH = 300


async def rate_limits(context: Context) -> list[tuple[Rule, bool]]:
    """Returns all rules by budget and subject, and whether an admin has set each."""
    rules = context.services.limits.with_overrides(await table.find_all(context.services.database))
    return rules.every()


async def set_rate_limit(context: Context, rule: Rule) -> list[UserError]:
    """Stores the rule, or returns the errors in the input."""
    if errors := list(_errors(rule)):
        return errors
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
        message = (
            f"There are already {table.RULES_AT_MOST} rules, the most allowed: delete one first."
        )
        return [too_many(message)]
    return []


async def delete_rate_limit(context: Context, budget: str, subject: str | None) -> bool:
    """Deletes a rule, so that the settings apply again; returns False if there was none."""
    async with context.transaction() as connection:
        return await table.delete(connection, budget, subject or EVERYBODY)


def _errors(rule: Rule) -> Iterator[UserError]:
    limit = rule.limit
    if not is_budget(rule.budget) or len(rule.budget) > MAX_NAME_LENGTH:
        known = "requests, address, cost, events, kibibytes or operation:<root field>"
        yield wrong("budget", f"There is no such budget: use {known}.")
    if len(rule.subject) > MAX_NAME_LENGTH or "\0" in rule.subject:
        yield wrong("subject", f"Give at most {MAX_NAME_LENGTH} characters, without NUL.")
    if not 1 <= limit.period_seconds <= MAX_PERIOD_SECONDS:
        yield wrong("windowSeconds", f"Give 1 to {MAX_PERIOD_SECONDS} seconds.")
    elif not 1 <= limit.refill <= min(MAX_REFILL, limit.period_seconds * SECOND_US):
        yield wrong("limit", "Give at least 1, and at most a million for each second.")
    if not 0 <= limit.burst <= MAX_REFILL:
        yield wrong("burst", f"Give 0 to {MAX_REFILL}.")
    elif limit.burst * limit.period_seconds > max(1, limit.refill) * CENTURY_SECONDS:
        yield wrong("burst", "This burst takes more than a hundred years to refill: lower it.")
