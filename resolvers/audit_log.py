"""The audit log, for admins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from access.scopes import Scope
from access.viewers import Permission
from resolvers.context import Context
from resolvers.pages import Connection, Listing, PageArguments, each
from storage.admin import audit as queries
from storage.errors import InvalidInput
from storage.queries.conditions import All, Condition, Operator


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry of the audit log: one mutation, or uses of one token."""

    entry_id: int
    recorded_at: datetime
    subject: str
    token_id: UUID | None
    action: str
    target: str | None
    outcome: str
    times: int
    request_id: str
    address: str
    details: Mapping[str, Any]

    @classmethod
    def of(cls, row: Any) -> AuditEntry:
        return cls(**dict(row.items()))


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Conditions on entries; None matches any."""

    subject: str | None = None
    action: str | None = None
    outcome: str | None = None
    target: str | None = None
    token_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> All:
        given = [
            ("subject", Operator.EQ, self.subject),
            ("action", Operator.EQ, self.action),
            ("outcome", Operator.EQ, self.outcome),
            ("target", Operator.EQ, self.target),
            ("token_id", Operator.EQ, _token_id(self.token_id)),
            ("recorded_at", Operator.GTE, self.since),
            ("recorded_at", Operator.LT, self.until),
        ]
        return All(tuple(Condition(*condition) for condition in given if condition[2] is not None))


async def audit_log(
    context: Context, page: PageArguments, with_total: bool, filter: AuditFilter
) -> Connection[AuditEntry]:
    """Returns a page of entries, newest first."""
    context.viewer.require(Permission.ADMINISTER)
    database, conditions = context.services.database, filter.conditions()
    listing = Listing(
        "audit:newest",
        lambda request: queries.find(database, conditions, request),
        lambda limit: queries.count(database, conditions, limit),
        each(AuditEntry.of),
        lambda node: [node.recorded_at.isoformat(), node.entry_id],
        _position,
    )
    return await listing.page(context, Scope.everything(), page, with_total=with_total)


def _position(values: list[Any]) -> tuple[datetime, int]:
    recorded_at, entry_id = values
    return datetime.fromisoformat(recorded_at), int(entry_id)


def _token_id(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise InvalidInput(
            "A token's id is a UUID, such as serviceTokens returns.", path="filter.tokenId"
        ) from None
