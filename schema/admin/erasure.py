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


@strawberry.type(description="A number of rows, lines or names that an erasure found.")
class Erasure:
    name: str = strawberry.field(
        description="The name of the table, the archive file or the dimension."
    )
    count: int = strawberry.field(description="The number of rows, lines or names.")


@strawberry.type(description="The result of eraseUser.")
class EraseUserPayload:
    rows: list[Erasure] | None = strawberry.field(
        description="The rows changed, by table; null if refused."
    )
    archives: list[Erasure] | None = strawberry.field(
        description="The lines changed, by archive file; null if refused."
    )
    kept_in_names: list[Erasure] | None = strawberry.field(
        description="The names that still have the id in them, by dimension, such as `endpoint`, "
        "and the texts of alert rules, silences, channels and panels; null if refused."
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
        report = done.report
        return EraseUserPayload(
            rows=_counts(report.rows if report else None),
            archives=_counts(report.lines if report else None),
            kept_in_names=_counts(report.kept_in_names if report else None),
            user_errors=done.user_errors,  # type: ignore[arg-type]
        )


def _counts(found: dict[str, int] | None) -> list[Erasure] | None:
    if found is None:
        return None
    return [Erasure(name=name, count=count) for name, count in sorted(found.items())]
