"""The audit log, for admins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from access.viewers import Permission
from resolvers.context import Context
from resolvers.pages import Connection, PageArguments, table_page
from storage.admin import audit as queries
from storage.queries.conditions import Filter


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


async def audit_log(
    context: Context, page: PageArguments, filter: Filter
) -> Connection[AuditEntry]:
    """Returns a page of entries, newest first."""
    context.viewer.require(Permission.ADMINISTER)
    return await table_page(context, page, queries.NEWEST, AuditEntry.of, filter)
