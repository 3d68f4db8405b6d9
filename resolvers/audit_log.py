"""The audit log as admins read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from access.scopes import Scope
from access.viewers import Permission
from resolvers.context import Context
from resolvers.cursors import CursorSigner
from resolvers.pages import Connection, PageArguments, connection, counted
from storage.admin import audit as queries
from storage.errors import InvalidInput
from storage.queries.conditions import All, Condition, Operator


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that was done or tried."""

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
    """Which entries; None is any."""

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
        return All(tuple(Condition(*each) for each in given if each[2] is not None))


async def audit_log(
    context: Context, page: PageArguments, with_total: bool, filter: AuditFilter
) -> Connection[AuditEntry]:
    """Entries, the newest first."""
    context.viewer.require(Permission.ADMINISTER)
    signer = CursorSigner.of(context.services.cursor_key, Scope.everything(), "audit:newest")
    request = page.request(lambda cursor, name: _position(signer.read(cursor, name), name))
    conditions = filter.conditions()
    database = context.services.database
    found = await queries.find(database, conditions, request)
    total = await counted(lambda limit: queries.count(database, conditions, limit), with_total)
    nodes = [AuditEntry.of(row) for row in found.rows]
    return connection(
        found, nodes, lambda node: [node.recorded_at.isoformat(), node.entry_id], signer, total
    )


def _position(values: Any, name: str) -> tuple[Any, ...]:
    try:
        recorded_at, entry_id = values
        return datetime.fromisoformat(recorded_at), int(entry_id)
    except (TypeError, ValueError):
        raise InvalidInput("This is no cursor of the audit log.", path=name) from None


def _token_id(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise InvalidInput("A token's id is a UUID.", path="filter.tokenId") from None
