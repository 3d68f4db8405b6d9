"""Mutations of errors, for maintainers: decide, assign, comment, merge."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from resolvers import error_changes as resolvers
from resolvers.context import Context
from resolvers.errors import MAX_VALUES
from schema.declarations import mutation, optional
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info
from schema.scalars import Long
from schema.things.errors import Error
from schema.things.given import read
from storage.error_groups.decisions import Decision
from storage.error_groups.tables import ErrorStatus

_ERRORS = f"The global ids of the errors, at most {MAX_VALUES}."


@strawberry.input(description="Errors to resolve; by default they are not to occur any more.")
class ResolveErrorsInput:
    errors: list[strawberry.ID] = read(_ERRORS)
    in_release: str | None = optional(
        "The first release without them, which may be one to come: older ones do not reopen them."
    )
    in_next_release: bool = strawberry.field(
        default=False, description="Whether the release after the newest one is the first without."
    )


@strawberry.input(description="Errors to ignore; by default until they are reopened.")
class IgnoreErrorsInput:
    errors: list[strawberry.ID] = read(_ERRORS)
    until: datetime | None = optional("Until this time.")
    occurrences: Long | None = optional("Until each has occurred so many times more.")
    until_next_release: bool = strawberry.field(
        default=False, description="Until they occur in a release after the newest one."
    )


@strawberry.input(description="Errors to reopen.")
class ReopenErrorsInput:
    errors: list[strawberry.ID] = read(_ERRORS)


@strawberry.input(description="Errors to assign.")
class AssignErrorsInput:
    errors: list[strawberry.ID] = read(_ERRORS)
    subject: str | None = optional("The `subject` of a member of their projects; nobody if null.")


@strawberry.input(description="A comment to add.")
class CommentErrorInput:
    error: strawberry.ID = read("The global id of the error.")
    text: str = read(f"The text, at most {resolvers.MAX_COMMENT_LENGTH:,} characters.")


@strawberry.input(description="A comment to delete.")
class DeleteErrorCommentInput:
    comment: strawberry.ID = read("The id of the comment, of which you are the author.")


@strawberry.input(description="Errors to merge.")
class MergeErrorsInput:
    into: strawberry.ID = read("The global id of the error that they become part of.")
    errors: list[strawberry.ID] = read(f"{_ERRORS} They are of the same project.")


@strawberry.input(description="An error to take out of the one it was merged into.")
class UnmergeErrorInput:
    error: strawberry.ID = read("The global id that it had, as in `mergedErrors`.")


@strawberry.type(description="The result of a change of several errors.")
class ErrorsPayload:
    errors: list[Error] = read("The errors after the change; empty if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.type(description="The result of a change of one error.")
class ErrorPayload:
    error: Error | None = read("The error after the change; null if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


_Change = Callable[[Context, Any], Awaitable[resolvers.Changed]]


def _mutation(
    change: _Change, given: Any, description: str, *, target: str = "errors", about: str = "errors"
) -> Any:
    """A mutation with this input; it returns several errors if its target are several."""
    several = target == "errors"

    async def changed(info: Info, input: Any) -> Any:
        done = await change(info.context, input)
        if several:
            return ErrorsPayload(errors=done.errors, user_errors=done.user_errors)  # type: ignore[arg-type]
        return ErrorPayload(error=done.error, user_errors=done.user_errors)  # type: ignore[arg-type]

    changed.__annotations__ |= {
        "input": Annotated[given, strawberry.argument(f"The {about}.")],
        "return": ErrorsPayload if several else ErrorPayload,
    }
    return mutation(Permission.MANAGE, description, targets=(target,))(changed)


async def _resolve(context: Context, given: ResolveErrorsInput) -> resolvers.Changed:
    decision = Decision(ErrorStatus.RESOLVED, given.in_release)
    return await resolvers.decide(
        context, given.errors, decision, next_release=given.in_next_release
    )


async def _ignore(context: Context, given: IgnoreErrorsInput) -> resolvers.Changed:
    decision = Decision(
        ErrorStatus.IGNORED, ignored_until=given.until, ignored_for=given.occurrences
    )
    return await resolvers.decide(
        context, given.errors, decision, next_release=given.until_next_release
    )


@strawberry.type
class ErrorMutations:
    resolve_errors = _mutation(
        _resolve,
        ResolveErrorsInput,
        "Resolves errors. Those that occur again afterwards are reopened.",
    )
    ignore_errors = _mutation(_ignore, IgnoreErrorsInput, "Ignores errors, for a time or for good.")
    reopen_errors = _mutation(
        lambda context, given: resolvers.decide(context, given.errors, Decision(ErrorStatus.OPEN)),
        ReopenErrorsInput,
        "Reopens errors that were resolved or ignored.",
    )
    assign_errors = _mutation(
        lambda context, given: resolvers.assign(context, given.errors, given.subject),
        AssignErrorsInput,
        "Assigns errors to a member of their projects, or to nobody.",
    )
    comment_error = _mutation(
        lambda context, given: resolvers.comment(context, given.error, given.text),
        CommentErrorInput,
        "Adds a comment to an error.",
        target="error",
        about="comment",
    )
    delete_error_comment = _mutation(
        lambda context, given: resolvers.delete_comment(context, given.comment),
        DeleteErrorCommentInput,
        "Deletes a comment of yours.",
        target="comment",
        about="comment",
    )
    merge_errors = _mutation(
        lambda context, given: resolvers.merge(context, given.into, given.errors),
        MergeErrorsInput,
        "Merges errors into another one, which has all their occurrences from then on.",
        target="into",
    )
    unmerge_error = _mutation(
        lambda context, given: resolvers.unmerge(context, given.error),
        UnmergeErrorInput,
        "Makes a merged error one of its own again, with all its occurrences, also those that came "
        "meanwhile; it is open.",
        target="error",
        about="error",
    )
