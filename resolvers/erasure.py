"""Erases users of projects; only admins may."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.errors.people import person_of
from ingest.events import Code
from resolvers.context import Context
from resolvers.user_errors import UserError, no_project, wrong
from storage.keeping import erasure
from storage.keeping.erasure import Report
from storage.names import can_be_stored

MAX_USER_ID_LENGTH = 320


@dataclass(frozen=True, slots=True)
class Erased:
    """What was changed, or the errors in the input."""

    report: Report | None
    user_errors: list[UserError]


async def erase(context: Context, project: str, user_id: str) -> Erased:
    """Erases a user of a project in scope."""
    project_id = await context.project_id(project)
    if project_id is None:
        return Erased(None, [no_project(project)])
    if not 0 < len(user_id) <= MAX_USER_ID_LENGTH or not can_be_stored(user_id):
        message = f"Give the user's id as in events, 1 to {MAX_USER_ID_LENGTH} characters."
        return Erased(None, [wrong("userId", message, Code.INVALID_TEXT)])
    person, services = person_of(project_id, project, user_id), context.services
    report = await erasure.erase(services.database, person, services.archives)
    context.forget_loaded()
    return Erased(report, [])
