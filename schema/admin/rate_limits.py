"""Rate limits, which admins read and change."""

from typing import Annotated, Self

import strawberry

from access.limits import EVERYBODY, Limit, Rule
from access.viewers import Permission
from resolvers import rate_limits as resolvers
from schema.declarations import field, mutation, optional
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info

BUDGET = (
    "What is limited: requests, address (requests without a valid token), cost, events, kibibytes "
    "or operation:<root field>."
)
SUBJECT = (
    "Whose budget: subject:<sub> or token:<id>, address:<address> for the budget address, a "
    "project's slug for events"
)


@strawberry.type(description="A rate limit in force.")
class RateLimit:
    budget: str = strawberry.field(description=BUDGET)
    subject: str | None = strawberry.field(description=f"{SUBJECT}; null for everybody.")
    limit: int = strawberry.field(description="How much may be used in a window.")
    window_seconds: int = strawberry.field(description="The length of the window, in seconds.")
    burst: int = strawberry.field(
        description="How much above the limit may be used at once after a quiet window."
    )
    exempt: bool = strawberry.field(description="True if nothing is limited.")
    is_default: bool = strawberry.field(description="True if it comes from the settings.")

    @classmethod
    def of(cls, rule: Rule, *, is_set: bool) -> Self:
        return cls(
            budget=rule.budget,
            subject=rule.subject or None,
            limit=rule.limit.refill,
            window_seconds=rule.limit.period_seconds,
            burst=rule.limit.burst,
            exempt=rule.limit.exempt,
            is_default=not is_set,
        )


@strawberry.input(description="A rate limit to set; it replaces the one in force.")
class RateLimitInput:
    budget: str = strawberry.field(description=BUDGET)
    subject: str | None = optional(f"{SUBJECT}; everybody's by default.")
    limit: int = strawberry.field(description="How much may be used in a window.")
    window_seconds: int = strawberry.field(
        default=60, description="The length of the window, in seconds."
    )
    burst: int = strawberry.field(
        default=0,
        description="How much above the limit may be used at once after a quiet window.",
    )
    exempt: bool = strawberry.field(default=False, description="True to limit nothing.")


@strawberry.type(description="The result of setRateLimit.")
class SetRateLimitPayload:
    rate_limit: RateLimit | None = strawberry.field(
        description="The limit now in force; null if refused."
    )
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.input(description="A rate limit to delete.")
class DeleteRateLimitInput:
    budget: str = strawberry.field(description=BUDGET)
    subject: str | None = optional(f"{SUBJECT}; everybody's by default.")


@strawberry.type(description="The result of deleteRateLimit.")
class DeleteRateLimitPayload:
    deleted: bool = strawberry.field(description="True if a limit had been set.")
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.type
class RateLimitQueries:
    @field(Permission.ADMINISTER, "All rate limits in force; null on error.")
    async def rate_limits(self, info: Info) -> list[RateLimit] | None:
        rules = await resolvers.rate_limits(info.context)
        return [RateLimit.of(rule, is_set=is_set) for rule, is_set in rules]


@strawberry.type
class RateLimitMutations:
    @mutation(
        Permission.ADMINISTER,
        "Sets a rate limit; every process applies it within two seconds.",
        targets=("budget",),
    )
    async def set_rate_limit(
        self, info: Info, input: Annotated[RateLimitInput, strawberry.argument("The limit to set.")]
    ) -> SetRateLimitPayload:
        limit = Limit(input.limit, input.window_seconds, input.burst, input.exempt)
        rule = Rule(input.budget, input.subject or EVERYBODY, limit)
        errors = await resolvers.set_rate_limit(info.context, rule)
        stored = None if errors else RateLimit.of(rule, is_set=True)
        return SetRateLimitPayload(rate_limit=stored, user_errors=errors)  # type: ignore[arg-type]

    @mutation(
        Permission.ADMINISTER,
        "Deletes a rate limit; the limit of the settings applies again.",
        targets=("budget",),
    )
    async def delete_rate_limit(
        self,
        info: Info,
        input: Annotated[DeleteRateLimitInput, strawberry.argument("The limit to delete.")],
    ) -> DeleteRateLimitPayload:
        done = await resolvers.delete_rate_limit(info.context, input.budget, input.subject)
        return DeleteRateLimitPayload(deleted=done, user_errors=[])
