"""Rate limits: what admins see of them and how they change them."""

from typing import Annotated

import strawberry

from access.limits import EVERYBODY, Limit, Rule
from access.viewers import Permission
from resolvers import rate_limits as resolvers
from schema.declarations import field, mutation
from schema.errors import UserError
from schema.info import Info

BUDGET = (
    "What is limited: requests, address (requests without a valid token), cost, events, kibibytes "
    "or operation:<root field>."
)
SUBJECT = (
    "Whose: subject:<sub> or token:<id>, address:<address> for the budget address, a project's "
    "slug for events"
)


@strawberry.type(description="A rate limit in force.")
class RateLimit:
    budget: str = strawberry.field(description=BUDGET)
    subject: str | None = strawberry.field(description=f"{SUBJECT}; null for everybody.")
    limit: int = strawberry.field(description="How much may be taken in a window.")
    window_seconds: int = strawberry.field(description="How long a window is.")
    burst: int = strawberry.field(description="How much more may be saved up and taken at once.")
    exempt: bool = strawberry.field(description="Whether nothing is limited after all.")
    is_default: bool = strawberry.field(description="Whether it is from the settings.")


@strawberry.input(description="A rate limit to set, in place of what held before.")
class RateLimitInput:
    budget: str = strawberry.field(description=BUDGET)
    subject: str | None = strawberry.field(
        default=None, description=f"{SUBJECT}; everybody's when left out."
    )
    limit: int = strawberry.field(description="How much may be taken in a window.")
    window_seconds: int = strawberry.field(default=60, description="How long a window is.")
    burst: int = strawberry.field(
        default=0, description="How much more may be saved up and taken at once."
    )
    exempt: bool = strawberry.field(default=False, description="Whether nothing is to be limited.")


@strawberry.type(description="The answer to setRateLimit.")
class SetRateLimitPayload:
    rate_limit: RateLimit | None = strawberry.field(
        description="The limit as it now is; null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description="What stands in the way.")


@strawberry.type(description="The answer to deleteRateLimit.")
class DeleteRateLimitPayload:
    deleted: bool = strawberry.field(description="Whether one had been set.")


@strawberry.type
class RateLimitQueries:
    @field(Permission.ADMINISTER, "All rate limits in force.")
    async def rate_limits(self, info: Info) -> list[RateLimit]:
        return await resolvers.rate_limits(info.context)  # type: ignore[return-value]


@strawberry.type
class RateLimitMutations:
    @mutation(
        Permission.ADMINISTER,
        "Set a rate limit; every process holds to it within two seconds.",
        targets=("budget",),
    )
    async def set_rate_limit(
        self,
        info: Info,
        input: Annotated[RateLimitInput, strawberry.argument(description="The limit.")],
    ) -> SetRateLimitPayload:
        limit = Limit(input.limit, input.window_seconds, input.burst, input.exempt)
        rule = Rule(input.budget, input.subject or EVERYBODY, limit)
        return await resolvers.set_rate_limit(info.context, rule)  # type: ignore[return-value]

    @mutation(
        Permission.ADMINISTER,
        "Take back a rate limit that was set: what the settings say holds again.",
        targets=("budget",),
    )
    async def delete_rate_limit(
        self,
        info: Info,
        budget: Annotated[str, strawberry.argument(description=BUDGET)],
        subject: Annotated[
            str | None, strawberry.argument(description=f"{SUBJECT}; everybody's when left out.")
        ] = None,
    ) -> DeleteRateLimitPayload:
        done = await resolvers.delete_rate_limit(info.context, budget, subject)
        return DeleteRateLimitPayload(deleted=done)
