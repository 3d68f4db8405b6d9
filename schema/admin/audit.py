"""The audit log, which admins read."""

from datetime import datetime
from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import audit_log as resolvers
from resolvers.service_tokens import parse_id
from schema.declarations import field, optional
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.scalars import Json
from storage.queries.conditions import Condition, Filter, Operator


@strawberry.type(description="An entry of the audit log: a mutation, a command or uses of a token.")
class AuditEntry:
    recorded_at: datetime = strawberry.field(description="When it began.")
    subject: str = strawberry.field(
        description="The subject of the token; empty without a valid token."
    )
    token_id: strawberry.ID | None = strawberry.field(
        description="The id of the service token; null for other tokens."
    )
    action: str = strawberry.field(
        description="The action: mutation.<field>, token.used, token.refused, source_maps.removed, "
        "request.crashed or a command."
    )
    target: str | None = strawberry.field(
        description="The object it changed, such as a slug; null if unknown."
    )
    outcome: str = strawberry.field(
        description="ok, or the code of the error; begun if the end was not recorded."
    )
    times: int = strawberry.field(
        description="How many times it happened: uses of a token within a minute share an entry."
    )
    request_id: str = strawberry.field(description="The id of the request, as in the logs.")
    address: str = strawberry.field(description="The IP address of the client.")
    details: Json = strawberry.field(description="The arguments, without secrets.")


@strawberry.input(description="Selects entries of the audit log; all given fields must match.")
class AuditFilter:
    subject: str | None = optional("Only entries of this subject.")
    action: str | None = optional("Only entries of this action.")
    outcome: str | None = optional("Only entries with this outcome.")
    target: str | None = optional("Only entries with this target.")
    token_id: strawberry.ID | None = optional("Only entries of this service token.")
    since: datetime | None = optional("Only entries recorded at this time or later.")
    until: datetime | None = optional("Only entries recorded before this time.")

    def condition(self) -> Filter:
        """Converts the filter; raises InvalidInput."""
        id = self.token_id
        token_id = None if id is None else parse_id(id, "filter.tokenId")
        return tuple(
            Condition((column,), operator, value)
            for column, operator, value in (
                ("subject", Operator.EQ, self.subject),
                ("action", Operator.EQ, self.action),
                ("outcome", Operator.EQ, self.outcome),
                ("target", Operator.EQ, self.target),
                ("token_id", Operator.EQ, token_id),
                ("recorded_at", Operator.GTE, self.since),
                ("recorded_at", Operator.LT, self.until),
            )
            if value is not None
        )


@strawberry.type
class AuditQueries:
    @field(Permission.ADMINISTER, "The audit log, newest entries first; null on error.")
    async def audit_log(
        self,
        info: Info,
        filter: Annotated[
            AuditFilter | None, strawberry.argument("Which entries; all by default.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AuditEntry] | None:
        page = page_arguments(info, first, after, last, before)
        condition = filter.condition() if filter else ()
        return await resolvers.audit_log(info.context, page, condition)  # type: ignore[return-value]
