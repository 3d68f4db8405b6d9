"""Service tokens, which admins list, create and revoke."""

from datetime import datetime
from typing import Annotated

import strawberry

from access import service_tokens as tokens
from access import viewers
from access.viewers import Permission
from resolvers import service_tokens as resolvers
from schema.admin.credentials import Credential
from schema.declarations import field, mutation
from schema.enums import Role
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments


@strawberry.type(description="A token of a program; its secret is not stored.")
class ServiceToken(Credential):
    token_id: strawberry.ID = strawberry.field(
        name="id", description="The id, which is part of the token."
    )
    name: str = strawberry.field(description="What the token is for.")
    roles: list[Role] = strawberry.field(description="The roles of the token.")
    project_slugs: list[str] = strawberry.field(
        name="projects", description="The slugs of the projects it covers."
    )
    expires_at: datetime = strawberry.field(description="When it expires.")


@strawberry.input(description="A service token to create.")
class ServiceTokenInput:
    name: str = strawberry.field(description="What the token is for.")
    roles: list[Role] = strawberry.field(
        description="The roles of the token: VIEWER, INGEST or MAINTAINER, never ADMIN."
    )
    projects: list[str] = strawberry.field(
        description="The slugs of the projects it covers; they need not exist yet."
    )
    expires_in_days: int = strawberry.field(
        default=tokens.DEFAULT_LIFETIME.days,
        description=f"The lifetime in days, at most {tokens.LONGEST_LIFETIME.days}.",
    )


@strawberry.type(description="The result of createServiceToken.")
class CreateServiceTokenPayload:
    service_token: ServiceToken | None = strawberry.field(
        description="The new token; null if refused."
    )
    token: str | None = strawberry.field(
        description="The text of the token, returned only once; null if refused."
    )
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.input(description="A service token to revoke.")
class RevokeServiceTokenInput:
    token_id: strawberry.ID = strawberry.field(name="id", description="The id of the token.")


@strawberry.type(description="The result of revokeServiceToken.")
class RevokeServiceTokenPayload:
    service_token: ServiceToken | None = strawberry.field(
        description="The revoked token; null if refused."
    )
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.type
class ServiceTokenQueries:
    @field(Permission.ADMINISTER, "The service tokens, newest first; null on error.")
    async def service_tokens(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ServiceToken] | None:
        page = page_arguments(info, first, after, last, before)
        return await resolvers.service_tokens(info.context, page)  # type: ignore[return-value]


@strawberry.type
class ServiceTokenMutations:
    @mutation(
        Permission.ADMINISTER,
        "Creates a service token; only this response holds its text.",
        targets=("name",),
    )
    async def create_service_token(
        self, info: Info, input: Annotated[ServiceTokenInput, strawberry.argument("The new token.")]
    ) -> CreateServiceTokenPayload:
        roles = [viewers.Role[role.name] for role in input.roles]
        return await resolvers.create(  # type: ignore[return-value]
            info.context, input.name, roles, input.projects, input.expires_in_days
        )

    @mutation(
        Permission.ADMINISTER,
        "Revokes a service token; every process refuses it within seconds.",
        targets=("id",),
    )
    async def revoke_service_token(
        self,
        info: Info,
        input: Annotated[RevokeServiceTokenInput, strawberry.argument("The token.")],
    ) -> RevokeServiceTokenPayload:
        return await resolvers.revoke(info.context, input.token_id)  # type: ignore[return-value]
