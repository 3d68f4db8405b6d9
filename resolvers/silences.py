"""Silences: which alerts nobody is told of for a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from alerts.silences import (
    LONGEST,
    MATCHERS,
    MATCHERS_AT_MOST,
    SCHEDULE,
    VALUE_CHARACTERS,
    Matcher,
    Schedule,
    matcher_problem,
)
from ingest.events import Code
from resolvers.alert_changes import is_mine, not_found, owner_of
from resolvers.alert_nodes import AlertNode, column, key_of, node_of, scope_of
from resolvers.context import Context
from resolvers.pages import Connection, PageArguments, table_page
from resolvers.user_errors import UserError, too_many, wrong
from storage.alerts import silences as table
from storage.alerts.changes import PLATFORM, publish
from storage.alerts.silences import ACTIVE_AT_MOST, SilenceRow
from storage.names import can_be_stored
from storage.queries import alerts as queries
from storage.queries.conditions import Condition, Operator

MAX_COMMENT_LENGTH = 1_000
MAX_LABEL_LENGTH = 100


class Silence(AlertNode):
    """A silence, also one that is over."""

    key_column = "silence_id"
    starts_at = column("starts_at")
    ends_at = column("ends_at")
    until_resolved = column("until_resolved")
    comment = column("comment")
    created_at = column("created_at")
    created_by = column("created_by")
    ended_at = column("ended_at")
    ended_by = column("ended_by")
    silence_id = column("silence_id")

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        return MATCHERS.validate_python(self.row["matchers"])

    @property
    def schedule(self) -> Schedule | None:
        given = self.row["schedule"]
        return None if given is None else SCHEDULE.validate_python(given)

    def is_active(self, now: datetime) -> bool:
        """Whether it holds messages back now."""
        if self.ended_at is not None or not self.starts_at <= now < self.ends_at:
            return False
        return self.schedule is None or self.schedule.covers(now)


@dataclass(frozen=True, slots=True)
class Given:
    """A silence to create."""

    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    until_resolved: bool
    schedule: Schedule | None
    comment: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The silence after a change, or the errors in the input."""

    silence: Silence | None
    user_errors: list[UserError]


async def silences(
    context: Context, projects: Sequence[str] | None, current: bool, page: PageArguments
) -> Connection[Silence]:
    """Returns a page of silences in scope; `current` leaves out those that are over."""
    scope = await scope_of(context, projects)
    filter = [Condition(("is_ended",), Operator.EQ, False)] if current else []
    if current:
        filter.append(Condition(("ends_at",), Operator.GTE, context.now))
    return await table_page(context, page, queries.SILENCES, Silence, tuple(filter), scope=scope)


async def silence_by_key(context: Context, project_id: int, key: str) -> Silence | None:
    return await node_of(context, Silence, queries.SILENCES, project_id, key)


async def create(context: Context, project: str | None, given: Given) -> Changed:
    """Creates a silence of a project in scope, or of the platform."""
    owner = await owner_of(context, project)
    if isinstance(owner, UserError):
        return Changed(None, [owner])
    if errors := list(errors_of(given, context.now)):
        return Changed(None, errors)
    row = new_row(owner, given, by=context.viewer.subject, now=context.now)
    async with context.transaction() as connection:
        if await table.add(connection, row, context.now) is not None:
            message = f"There are {ACTIVE_AT_MOST} silences, the most allowed: end one first."
            return Changed(None, [too_many(message)])
        await publish(connection, [(owner, row.silence_id)])
    return await _reloaded(context, owner, str(row.silence_id))


def new_row(project_id: int | None, given: Given, *, by: str, now: datetime) -> SilenceRow:
    """The row of a new silence."""
    schedule: Any = given.schedule and SCHEDULE.dump_python(given.schedule, mode="json")
    return SilenceRow(
        uuid4(),
        project_id,
        MATCHERS.dump_python(given.matchers, mode="json"),
        given.starts_at,
        given.ends_at,
        given.until_resolved,
        schedule,
        given.comment.strip(),
        now,
        by,
    )


async def end(context: Context, id: str) -> Changed:
    """Ends a silence now; one that is over already stays as it is."""
    silence_id = key_of(id, "Silence")
    async with context.transaction() as connection:
        row = None if silence_id is None else await table.lock(connection, silence_id)
        if silence_id is None or row is None or not is_mine(context, row["project_id"]):
            return Changed(None, [not_found(id, "silence")])
        await table.end(connection, [silence_id], context.viewer.subject, context.now)
        await publish(connection, [(row["project_id"], silence_id)])
    return await _reloaded(context, row["project_id"], str(silence_id))


def errors_of(given: Given, now: datetime) -> Iterator[UserError]:
    """What is wrong with a silence."""
    yield from _matcher_errors(given.matchers)
    if given.ends_at <= max(given.starts_at, now):
        yield wrong("endsAt", "It is over before it begins: give a later end.", Code.INVALID_TIME)
    elif given.ends_at - given.starts_at > LONGEST:
        message = f"A silence lasts at most {LONGEST.days} days: give an earlier end."
        yield wrong("endsAt", message, Code.INVALID_TIME)
    if not given.comment.strip() or len(given.comment) > MAX_COMMENT_LENGTH:
        yield wrong("comment", f"Say why, in 1 to {MAX_COMMENT_LENGTH:,} characters.")
    elif not can_be_stored(given.comment):
        message = "The comment has a NUL or a lone surrogate, which cannot be stored: remove it."
        yield wrong("comment", message, Code.INVALID_TEXT)
    schedule = given.schedule
    if schedule is not None and not schedule.weekdays:
        yield UserError(
            ["input", "schedule", "weekdays"], Code.INVALID_VALUE, "Name one day at least."
        )
    if schedule is not None and schedule.start == schedule.end:
        message = "It ends when it begins: give another end."
        yield UserError(["input", "schedule", "end"], Code.INVALID_VALUE, message)


def _matcher_errors(matchers: tuple[Matcher, ...]) -> Iterator[UserError]:
    if not 1 <= len(matchers) <= MATCHERS_AT_MOST:
        yield wrong("matchers", f"Give 1 to {MATCHERS_AT_MOST} of them.")
    for matcher in matchers[:MATCHERS_AT_MOST]:
        problem = matcher_problem(matcher) or _text_problem(matcher)
        if problem is not None:
            yield wrong("matchers", f"{matcher.label[:MAX_LABEL_LENGTH]!r}: {problem}")


def _text_problem(matcher: Matcher) -> str | None:
    if len(matcher.label) > MAX_LABEL_LENGTH or len(matcher.value) > VALUE_CHARACTERS:
        return f"A label has {MAX_LABEL_LENGTH} characters at most, its value {VALUE_CHARACTERS}."
    if not can_be_stored(matcher.label) or not can_be_stored(matcher.value):
        return "It has a NUL or a lone surrogate, which cannot be stored: remove it."
    return None


async def _reloaded(context: Context, project_id: int | None, key: str) -> Changed:
    context.forget_loaded()
    number = PLATFORM if project_id is None else project_id
    return Changed(await silence_by_key(context, number, key), [])
