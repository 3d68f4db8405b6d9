"""Erases a user of a project from all that is stored."""

from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import erasure as resolvers
from schema.declarations import mutation
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info

# It reads every row of a project.
_WEIGHT = 1_000


@strawberry.input(description="A user to erase.")
class EraseUserInput:
    project: str = strawberry.field(description="The slug of the project.")
    user_id: str = strawberry.field(
        description="The id of the user, as events give it: of errors, or as an actor."
    )


@strawberry.type(description="How much was changed in a table or an archive file.")
class Erasure:
    name: str = strawberry.field(description="The name of the table or the file.")
    count: int = strawberry.field(description="The number of rows or lines.")


@strawberry.type(description="The result of eraseUser.")
class EraseUserPayload:
    rows: list[Erasure] | None = strawberry.field(
        description="The rows changed, by table; null if refused."
    )
    archives: list[Erasure] | None = strawberry.field(
        description="The lines changed, by archive file; null if refused."
    )
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.type
class ErasureMutations:
    @mutation(
        Permission.PROVISION,
        "Replaces what names a user in a project's rows and archives; counts stay. Repeat it after"
        " a timeout.",
        targets=("project",),
        weight=_WEIGHT,
    )
    async def erase_user(
        self, info: Info, input: Annotated[EraseUserInput, strawberry.argument("The user.")]
    ) -> EraseUserPayload:
        done = await resolvers.erase(info.context, input.project, input.user_id)
        return EraseUserPayload(
            rows=_counts(done.report.rows if done.report else None),
            archives=_counts(done.report.lines if done.report else None),
            user_errors=done.user_errors,  # type: ignore[arg-type]
        )


def _counts(changed: dict[str, int] | None) -> list[Erasure] | None:
    if changed is None:
        return None
    return [Erasure(name=name, count=count) for name, count in sorted(changed.items())]
