"""Service tokens: what admins see of them, and how they make them and take them back."""

from datetime import datetime
from typing import Annotated

import strawberry

from access import service_tokens as tokens
from access import viewers
from access.viewers import Permission
from resolvers import service_tokens as resolvers
from resolvers.pages import PageArguments
from schema.declarations import field, mutation
from schema.enums import Role
from schema.errors import UserError
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, selects_total
from schema.selection import look_ahead


@strawberry.type(description="A credential of a program; its secret is known to nobody here.")
class ServiceToken:
    id: strawberry.ID = strawberry.field(description="Its id, which is part of the token.")
    name: str = strawberry.field(description="What it is for.")
    roles: list[Role] = strawberry.field(description="What it may do.")
    projects: list[str] = strawberry.field(description="The projects it may do that to, by slug.")
    created_by: str = strawberry.field(description="Who made it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="When it ends by itself.")
    revoked_at: datetime | None = strawberry.field(
        description="When it was taken back; null where it was not."
    )
    revoked_by: str | None = strawberry.field(
        description="Who took it back; null where nobody did."
    )
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to within a minute; null where it never was."
    )


@strawberry.input(description="A service token to make.")
class ServiceTokenInput:
    name: str = strawberry.field(description="What it is for.")
    roles: list[Role] = strawberry.field(
        description="What it may do: VIEWER reads, INGEST records events, MAINTAINER keeps in "
        "order. None is an admin."
    )
    projects: list[str] = strawberry.field(
        description="The projects it may do that to, by slug; they need not exist yet."
    )
    expires_in_days: int = strawberry.field(
        default=tokens.DEFAULT_LIFETIME.days,
        description=f"After how many days it ends, at most {tokens.LONGEST_LIFETIME.days}.",
    )


@strawberry.type(description="The answer to createServiceToken.")
class CreateServiceTokenPayload:
    service_token: ServiceToken | None = strawberry.field(
        description="What was made; null when refused."
    )
    token: str | None = strawberry.field(
        description="The token itself, shown this once; null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description="What stands in the way.")


@strawberry.type(description="The answer to revokeServiceToken.")
class RevokeServiceTokenPayload:
    service_token: ServiceToken = strawberry.field(description="The token as it now is.")


@strawberry.type
class ServiceTokenQueries:
    @field(Permission.ADMINISTER, "The service tokens, the newest first.")
    async def service_tokens(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ServiceToken]:
        where = PageArguments(first, after, last, before)
        return await resolvers.service_tokens(info.context, where, look_ahead(info, selects_total))  # type: ignore[return-value]


@strawberry.type
class ServiceTokenMutations:
    @mutation(
        Permission.ADMINISTER,
        "Make a service token. Its text is shown in this answer alone.",
        targets=("name",),
    )
    async def create_service_token(
        self,
        info: Info,
        input: Annotated[ServiceTokenInput, strawberry.argument(description="The token.")],
    ) -> CreateServiceTokenPayload:
        roles = [viewers.Role[role.name] for role in input.roles]
        done = await resolvers.create(
            info.context, input.name, roles, input.projects, input.expires_in_days
        )
        return CreateServiceTokenPayload(
            service_token=done.service_token,  # type: ignore[arg-type]
            token=done.text,
            user_errors=done.user_errors,  # type: ignore[arg-type]
        )

    @mutation(
        Permission.ADMINISTER,
        "Take a service token back: within seconds nobody believes it.",
        targets=("id",),
    )
    async def revoke_service_token(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The token's id.")],
    ) -> RevokeServiceTokenPayload:
        token = await resolvers.revoke(info.context, id)
        return RevokeServiceTokenPayload(service_token=token)  # type: ignore[arg-type]
