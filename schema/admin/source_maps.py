"""Source maps of a project's releases, which maintainers list and delete."""

from datetime import datetime
from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import source_maps as resolvers
from schema.declarations import STATEMENT, field, mutation, optional
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info
from storage.admin.source_maps import FILES_AT_MOST


@strawberry.type(description="The files uploaded for a minified script of a release.")
class SourceMap:
    release: str = strawberry.field(description="The release.")
    url: str = strawberry.field(
        description="The URL of the script, or its path on any host after ~."
    )
    map_bytes: int = strawberry.field(
        description="The size of the source map, in bytes; 0 if there is none."
    )
    script_bytes: int = strawberry.field(
        description="The size of the script, in bytes; 0 if it was not uploaded."
    )
    problem: str | None = strawberry.field(
        description="Why the map could not be applied; null if nothing is wrong."
    )
    uploaded_by: str = strawberry.field(description="The subject who uploaded the last file.")
    uploaded_at: datetime = strawberry.field(description="When the last file was uploaded.")


@strawberry.input(description="Source maps to delete.")
class DeleteSourceMapsInput:
    project: str = strawberry.field(description="The slug of the project.")
    release: str = strawberry.field(description="The release.")
    url: str | None = optional("The URL of a script, as uploaded; all of the release by default.")


@strawberry.type(description="The result of deleteSourceMaps.")
class DeleteSourceMapsPayload:
    deleted: int = strawberry.field(description="How many scripts had files.")
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.type
class SourceMapQueries:
    @field(
        Permission.MANAGE,
        f"The source maps of a project, the last {FILES_AT_MOST:,} uploads first; null on error.",
        weight=STATEMENT,
        items=100,
    )
    async def source_maps(
        self,
        info: Info,
        project: Annotated[str, strawberry.argument("The slug of the project.")],
        release: Annotated[str | None, strawberry.argument("The release; all by default.")] = None,
    ) -> list[SourceMap] | None:
        return await resolvers.source_maps(info.context, project, release)  # type: ignore[return-value]


@strawberry.type
class SourceMapMutations:
    @mutation(
        Permission.MANAGE,
        "Deletes source maps; errors that were mapped stay as they are.",
        targets=("project",),
    )
    async def delete_source_maps(
        self,
        info: Info,
        input: Annotated[DeleteSourceMapsInput, strawberry.argument("What to delete.")],
    ) -> DeleteSourceMapsPayload:
        deleted, errors = await resolvers.delete(
            info.context, input.project, input.release, input.url
        )
        return DeleteSourceMapsPayload(deleted=deleted, user_errors=errors)  # type: ignore[arg-type]
