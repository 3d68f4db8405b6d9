"""Source maps: whoever manages a project lists and deletes them."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.events import Code
from resolvers.context import Context
from resolvers.user_errors import UserError, wrong
from storage.admin import source_maps as queries
from storage.admin.source_maps import MappedRelease, SourceMap
from storage.errors import InvalidInput
from storage.names import can_be_stored


@dataclass(frozen=True, slots=True)
class Deleted:
    """How many scripts lost their files, or the errors in the input."""

    deleted: int
    user_errors: list[UserError]


async def releases(context: Context, project: str) -> list[MappedRelease]:
    """Returns the releases with source maps; none of a project out of scope."""
    project_id = (await context.project_ids([project])).get(project)
    if project_id is None:
        return []
    async with context.services.database.connection() as connection:
        return await queries.releases(connection, project_id)


async def of_release(context: Context, project: str, release: str) -> list[SourceMap]:
    project_id = (await context.project_ids([project])).get(project)
    if not can_be_stored(release):
        raise InvalidInput("The release cannot be stored.", path="release")
    if project_id is None:
        return []
    async with context.services.database.connection() as connection:
        return await queries.of_release(connection, project_id, release)


async def delete(context: Context, project: str, release: str, url: str | None) -> Deleted:
    """Deletes the files of a script, or of a whole release."""
    project_id = (await context.project_ids([project])).get(project)
    if project_id is None:
        message = f"There is no project {project[:100]!r}."
        return Deleted(0, [wrong("project", message, Code.UNKNOWN_PROJECT)])
    for name, text in (("release", release), ("url", url or "")):
        if not can_be_stored(text):
            message = "The text has a NUL or a lone surrogate, so nothing has this name."
            return Deleted(0, [wrong(name, message, Code.INVALID_TEXT)])
    async with context.transaction() as connection:
        return Deleted(await queries.delete(connection, project_id, release, url), [])
