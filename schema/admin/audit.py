"""The audit log as admins see it."""

from datetime import datetime
from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import audit_log as resolvers
from resolvers.pages import PageArguments
from schema.declarations import field
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, selects_total
from schema.scalars import Json
from schema.selection import look_ahead


@strawberry.type(description="Something that was done or tried.")
class AuditEntry:
    recorded_at: datetime = strawberry.field(description="When.")
    subject: str = strawberry.field(
        description="Who: the token's subject; empty where no token was believed."
    )
    token_id: strawberry.ID | None = strawberry.field(
        description="The service token's id; null where it was none."
    )
    action: str = strawberry.field(
        description="What: mutation.<field>, token.used, token.refused or request.crashed, or a "
        "command."
    )
    target: str | None = strawberry.field(
        description="What it was done to, such as a slug; null where that cannot be said."
    )
    outcome: str = strawberry.field(
        description="ok, or the code of what stood in the way; begun where the end was not seen."
    )
    times: int = strawberry.field(
        description="How often: uses of a token within a minute share an entry."
    )
    request_id: str = strawberry.field(description="The request's id, as in the logs.")
    address: str = strawberry.field(description="Where it came from.")
    details: Json = strawberry.field(description="What was asked for; secrets are left out.")


@strawberry.input(description="Which entries of the audit log.")
class AuditFilter:
    subject: str | None = strawberry.field(default=None, description="Those of this subject.")
    action: str | None = strawberry.field(default=None, description="Those of this action.")
    outcome: str | None = strawberry.field(default=None, description="Those with this outcome.")
    target: str | None = strawberry.field(default=None, description="Those done to this.")
    token_id: strawberry.ID | None = strawberry.field(
        default=None, description="Those of this service token."
    )
    since: datetime | None = strawberry.field(default=None, description="From then on.")
    until: datetime | None = strawberry.field(default=None, description="Before then.")

    def conditions(self) -> resolvers.AuditFilter:
        return resolvers.AuditFilter(**vars(self))


@strawberry.type
class AuditQueries:
    @field(Permission.ADMINISTER, "What was done and tried, the newest first.")
    async def audit_log(
        self,
        info: Info,
        filter: Annotated[
            AuditFilter | None, strawberry.argument(description="Which entries.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AuditEntry]:
        chosen = filter.conditions() if filter else resolvers.AuditFilter()
        where = PageArguments(first, after, last, before)
        with_total = look_ahead(info, selects_total)
        return await resolvers.audit_log(info.context, where, with_total, chosen)  # type: ignore[return-value]
