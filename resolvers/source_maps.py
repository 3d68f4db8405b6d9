"""Source maps: whoever manages a project lists and deletes them."""

from __future__ import annotations

from ingest.events import Code
from resolvers.context import Context
from resolvers.user_errors import UserError, no_project, wrong
from storage.admin import source_maps as queries
from storage.admin.source_maps import SourceMap
from storage.errors import InvalidInput
from storage.names import can_be_stored


async def source_maps(context: Context, project: str, release: str | None) -> list[SourceMap]:
    """Returns the last uploads; none of a project out of scope."""
    project_id = await context.project_id(project)
    if not can_be_stored(release or ""):
        raise InvalidInput("The release cannot be stored.", path="release")
    if project_id is None:
        return []
    async with context.services.database.connection() as connection:
        return await queries.find(connection, project_id, release)


async def delete(
    context: Context, project: str, release: str, url: str | None
) -> tuple[int, list[UserError]]:
    """Deletes the files of a script, or of a whole release; returns of how many scripts."""
    project_id = await context.project_id(project)
    if project_id is None:
        return 0, [no_project(project, Code.UNKNOWN_PROJECT)]
    if not can_be_stored(release + (url or "")):
        message = "The text has a NUL or a lone surrogate, so nothing has this name."
        return 0, [wrong("release", message, Code.INVALID_TEXT)]
    async with context.transaction() as connection:
        return await queries.delete(connection, project_id, release, url), []
