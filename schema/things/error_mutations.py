"""Mutations of errors, for maintainers: decide, assign, comment, merge."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from resolvers import error_changes as resolvers
from resolvers.errors import MAX_VALUES
from schema.declarations import mutation, optional
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info
from schema.scalars import Long
from schema.things.errors import Error
from storage.error_groups.decisions import Decision
from storage.error_groups.tables import ErrorStatus

_ERRORS = f"The global ids of the errors, at most {MAX_VALUES}."


def _given(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.input(description="Errors to resolve; by default they are not to occur any more.")
class ResolveErrorsInput:
    errors: list[strawberry.ID] = _given(_ERRORS)
    in_release: str | None = optional(
        "The first release without them, which may be one to come: older ones do not reopen them."
    )
    in_next_release: bool = strawberry.field(
        default=False, description="Whether the release after the newest one is the first without."
    )


@strawberry.input(description="Errors to ignore; by default until they are reopened.")
class IgnoreErrorsInput:
    errors: list[strawberry.ID] = _given(_ERRORS)
    until: datetime | None = optional("Until this time.")
    occurrences: Long | None = optional("Until each has occurred so many times more.")
    until_next_release: bool = strawberry.field(
        default=False, description="Until they occur in a release after the newest one."
    )


@strawberry.input(description="Errors to reopen.")
class ReopenErrorsInput:
    errors: list[strawberry.ID] = _given(_ERRORS)


@strawberry.input(description="Errors to assign.")
class AssignErrorsInput:
    errors: list[strawberry.ID] = _given(_ERRORS)
    subject: str | None = optional("The `subject` of a member of their projects; nobody if null.")


@strawberry.input(description="A comment to add.")
class CommentErrorInput:
    error: strawberry.ID = _given("The global id of the error.")
    text: str = _given(f"The text, at most {resolvers.MAX_COMMENT_LENGTH:,} characters.")


@strawberry.input(description="A comment to delete.")
class DeleteErrorCommentInput:
    comment: strawberry.ID = _given("The id of the comment, of which you are the author.")


@strawberry.input(description="Errors to merge.")
class MergeErrorsInput:
    into: strawberry.ID = _given("The global id of the error that they become part of.")
    errors: list[strawberry.ID] = _given(f"{_ERRORS} They are of the same project.")


@strawberry.input(description="An error to take out of the one it was merged into.")
class UnmergeErrorInput:
    error: strawberry.ID = _given("The global id that it had, as in `mergedErrors`.")


@strawberry.type(description="The result of a change of several errors.")
class ErrorsPayload:
    errors: list[Error] = _given("The errors after the change; empty if refused.")
    user_errors: list[UserError] = _given(WHY_REFUSED)


@strawberry.type(description="The result of a change of one error.")
class ErrorPayload:
    error: Error | None = _given("The error after the change; null if refused.")
    user_errors: list[UserError] = _given(WHY_REFUSED)


def _mutation(text: str, target: str = "errors") -> Any:
    return mutation(Permission.MANAGE, text, targets=(target,))


def _input(kind: Any, about: str) -> Any:
    return Annotated[kind, strawberry.argument(about)]


@strawberry.type
class ErrorMutations:
    @_mutation("Resolves errors. Those that occur again afterwards are reopened.")
    async def resolve_errors(
        self,
        info: Info,
        input: _input(ResolveErrorsInput, "The errors."),  # type: ignore[valid-type]
    ) -> ErrorsPayload:
        decision = Decision(ErrorStatus.RESOLVED, input.in_release)
        return await _decide(info, input.errors, decision, input.in_next_release)

    @_mutation("Ignores errors, for a time or for good.")
    async def ignore_errors(
        self,
        info: Info,
        input: _input(IgnoreErrorsInput, "The errors."),  # type: ignore[valid-type]
    ) -> ErrorsPayload:
        ends = {"ignored_until": input.until, "ignored_for": input.occurrences}
        decision = Decision(ErrorStatus.IGNORED, **ends)
        return await _decide(info, input.errors, decision, input.until_next_release)

    @_mutation("Reopens errors that were resolved or ignored.")
    async def reopen_errors(
        self,
        info: Info,
        input: _input(ReopenErrorsInput, "The errors."),  # type: ignore[valid-type]
    ) -> ErrorsPayload:
        return await _decide(info, input.errors, Decision(ErrorStatus.OPEN))

    @_mutation("Assigns errors to a member of their projects, or to nobody.")
    async def assign_errors(
        self,
        info: Info,
        input: _input(AssignErrorsInput, "The errors."),  # type: ignore[valid-type]
    ) -> ErrorsPayload:
        return _several(await resolvers.assign(info.context, input.errors, input.subject))

    @_mutation("Adds a comment to an error.", "error")
    async def comment_error(
        self,
        info: Info,
        input: _input(CommentErrorInput, "The comment."),  # type: ignore[valid-type]
    ) -> ErrorPayload:
        return _one(await resolvers.comment(info.context, input.error, input.text))

    @_mutation("Deletes a comment of yours.", "comment")
    async def delete_error_comment(
        self,
        info: Info,
        input: _input(DeleteErrorCommentInput, "The comment."),  # type: ignore[valid-type]
    ) -> ErrorPayload:
        return _one(await resolvers.delete_comment(info.context, input.comment))

    @_mutation(
        "Merges errors into another one, which has all their occurrences from then on.",
        "into",
    )
    async def merge_errors(
        self,
        info: Info,
        input: _input(MergeErrorsInput, "The errors."),  # type: ignore[valid-type]
    ) -> ErrorPayload:
        return _one(await resolvers.merge(info.context, input.into, input.errors))

    @_mutation(
        "Makes a merged error one of its own again, with all its occurrences, also those that came "
        "meanwhile; it is open.",
        "error",
    )
    async def unmerge_error(
        self,
        info: Info,
        input: _input(UnmergeErrorInput, "The error."),  # type: ignore[valid-type]
    ) -> ErrorPayload:
        return _one(await resolvers.unmerge(info.context, input.error))


async def _decide(
    info: Info, ids: list[strawberry.ID], decision: Decision, next_release: bool = False
) -> ErrorsPayload:
    done = await resolvers.decide(info.context, ids, decision, next_release=next_release)
    return _several(done)


def _several(done: resolvers.Changed) -> ErrorsPayload:
    return ErrorsPayload(errors=done.errors, user_errors=done.user_errors)  # type: ignore[arg-type]


def _one(done: resolvers.Changed) -> ErrorPayload:
    return ErrorPayload(error=done.error, user_errors=done.user_errors)  # type: ignore[arg-type]
