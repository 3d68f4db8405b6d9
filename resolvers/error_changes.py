"""What maintainers do with errors: decide, assign, comment, merge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

from ingest.events import Code
from resolvers.context import Context
from resolvers.entity_fields import uuid_of
from resolvers.errors import KIND, MAX_VALUES, Error, errors_by_keys, errors_with
from resolvers.identifiers import decode
from resolvers.members import member_of
from resolvers.pages import page_size
from resolvers.provisioned import Project, by_id
from resolvers.user_errors import InputCode, UserError, too_many, wrong
from storage.connections.database import Connection
from storage.error_groups import decisions, merging
from storage.error_groups.decisions import COMMENTS_AT_MOST, Comment, Decision
from storage.errors import InvalidInput
from storage.facts.content import Key
from storage.names import MAX_NAME_LENGTH, can_be_stored

MAX_COMMENT_LENGTH = 10_000
COMMENT_KIND = "ErrorComment"

# Changes errors; returns the keys of all that changed.
Change = Callable[[Connection], Awaitable[Collection[Key]]]


@dataclass(frozen=True, slots=True)
class Changed:
    """The errors after a change, or the errors in the input."""

    errors: list[Error]
    user_errors: list[UserError]

    @property
    def error(self) -> Error | None:
        return self.errors[0] if self.errors else None


async def decide(
    context: Context, ids: Sequence[str], given: Decision, *, next_release: bool = False
) -> Changed:
    """Resolves, ignores or reopens errors."""
    if problem := _problem(context, given, next_release):
        return Changed([], [problem])
    by, now = context.viewer.subject, context.now
    found, problems = await _found(context, ids)
    decision = given
    if next_release and not problems:
        project_ids = {key[0] for key in found}
        async with context.services.database.connection() as connection:
            newest = await decisions.newest_releases(connection, project_ids)
        decision = given._replace(after=newest)
        if len(newest) < len(project_ids):
            message = "No release of the project is known, so there is no next one."
            problems = [wrong("errors", message)]
    change = partial(decisions.decide, keys=found, decision=decision, by=by, now=now)
    return await _changed(context, found, problems, change)


def _problem(context: Context, decision: Decision, next_release: bool) -> UserError | None:
    until, more, release = decision.ignored_until, decision.ignored_for, decision.resolved_in
    ends = (until is not None, more is not None, release is not None, next_release)
    if sum(ends) > 1:
        return UserError(["input"], Code.CONFLICTING_FIELDS, "Give one way for it to end.")
    if until is not None and until <= context.now:
        return wrong("until", "The time must be in the future.", Code.INVALID_TIME)
    if more is not None and not 0 < more < 2**53:
        return wrong("occurrences", "The number must be at least 1.", Code.INVALID_NUMBER)
    return None if release is None else _wrong_text("inRelease", release, MAX_NAME_LENGTH)


def _wrong_text(field: str, text: str, most: int) -> UserError | None:
    if not text.strip() or len(text) > most:
        return wrong(field, f"Give 1 to {most:,} characters.")
    if not can_be_stored(text):
        message = "The text has a NUL or a lone surrogate, which cannot be stored: remove it."
        return wrong(field, message, Code.INVALID_TEXT)
    return None


async def assign(context: Context, ids: Sequence[str], subject: str | None) -> Changed:
    """Assigns errors to a member of their projects; None to nobody."""
    found, problems = await _found(context, ids)
    for project_id in {key[0] for key in found} if subject is not None else ():
        if await member_of(context, project_id, subject or "") is None:
            message = "This is no member of the errors' projects."
            problems = [wrong("subject", message, InputCode.NOT_FOUND)]
    change = partial(decisions.assign, keys=found, subject=subject)
    return await _changed(context, found, problems, change)


async def comment(context: Context, id: str, text: str) -> Changed:
    """Adds a comment of the viewer."""
    found, problems = await _found(context, [id], "error")
    if problem := _wrong_text("text", text, MAX_COMMENT_LENGTH):
        problems = [problem]
    given = Comment(uuid4(), context.viewer.subject, text.strip(), context.now)
    changed = await _changed(
        context,
        found,
        problems,
        lambda connection: decisions.comment(connection, next(iter(found)), given),
    )
    if found and not changed.errors and not problems:
        message = f"The error has {COMMENTS_AT_MOST:,} comments, the most allowed."
        return Changed([], [too_many(message)])
    return changed


async def delete_comment(context: Context, id: str) -> Changed:
    """Deletes a comment of the viewer."""
    key = _key_of(id, COMMENT_KIND)
    author = context.viewer.subject
    if key is not None and await by_id(context, Project, key[0]) is not None:
        changed = await _changed(
            context,
            [key],
            [],
            lambda connection: decisions.delete_comment(connection, *key, author),
        )
        if changed.errors:
            return changed
    message = "There is no comment of yours with this id."
    return Changed([], [wrong("comment", message, InputCode.NOT_FOUND)])


async def merge(context: Context, into: str, ids: Sequence[str]) -> Changed:
    """Merges errors of a project into another one of it."""
    targets, problems = await _found(context, [into], "into")
    found, more = await _found(context, ids)
    problems += more
    project_id, target = next(iter(targets), (0, UUID(int=0)))
    if not problems and any(key[0] != project_id for key in found):
        problems = [wrong("errors", "Errors of different projects cannot be merged.")]
    if not problems and not found.issuperset(_key_of(id, KIND) for id in ids):
        message = "One of the errors is part of another one: unmerge it, or give the other one."
        problems = [wrong("errors", message)]
    others = found - targets
    ids_of_others = [key[1] for key in others]
    change = partial(merging.merge, project_id=project_id, error_ids=ids_of_others, into=target)
    changed = await _changed(context, others, problems, change)
    return changed if problems else await _reloaded(context, targets)


async def unmerge(context: Context, id: str) -> Changed:
    """Makes a merged error one of its own again; returns it and the one it was part of."""
    found, problems = await _found(context, [id], "error")
    key = _key_of(id, KIND)
    if key in found:
        problems = [wrong("error", "This error is not merged into another one.")]
    changed = await _changed(
        context, found, problems, lambda connection: merging.unmerge(connection, *(key or ()))
    )
    own = [error for error in changed.errors if error.key == key]
    return Changed(own, changed.user_errors)


async def _found(
    context: Context, ids: Sequence[str], field: str = "errors"
) -> tuple[set[Key], list[UserError]]:
    """Returns the keys of errors, of merged ones those they are part of; and the unknown ids."""
    page_size(len(ids), field, MAX_VALUES)
    keys = {id: key for id in ids if (key := _key_of(id, KIND)) is not None}
    errors = dict(zip(keys, await errors_with(context, list(keys.values())), strict=True))
    unknown = (id for id in ids if errors.get(id) is None)
    problems = [
        wrong(field, f"There is no error {id[:100]!r}.", InputCode.NOT_FOUND) for id in unknown
    ]
    return {error.key for error in errors.values() if error is not None}, problems


def _key_of(id: str, kind: str) -> Key | None:
    try:
        identifier = decode(id)
    except InvalidInput:
        return None
    uuid = uuid_of(identifier.key)
    if identifier.kind != kind or identifier.number is None or uuid is None:
        return None
    return identifier.number, uuid


async def _changed(
    context: Context, keys: Collection[Key], problems: list[UserError], change: Change
) -> Changed:
    """Changes the errors in one transaction, and returns them as they are afterwards."""
    if problems or not keys:
        return Changed([], problems)
    async with context.transaction() as connection:
        changed = await change(connection)
        await decisions.publish(connection, changed)
    return await _reloaded(context, changed)


async def _reloaded(context: Context, keys: Collection[Key]) -> Changed:
    context.forget_loaded()
    return Changed(await errors_by_keys(context, sorted(keys)), [])
