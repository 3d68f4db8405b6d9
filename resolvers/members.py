"""Members of projects: admins add and remove them, and errors are assigned to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

from ingest.events import Code
from resolvers.context import Context
from resolvers.identifiers import encode
from resolvers.provisioned import Project
from resolvers.user_errors import UserError, no_project, too_many, wrong
from storage import members as queries
from storage.members import MEMBERS_AT_MOST, MemberFields, MemberRole, MemberSource
from storage.names import MAX_NAME_LENGTH, can_be_stored, is_email
from storage.queries.members import of_projects

_DIGEST_BYTES = 12


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to a project; the address is for those who manage the project."""

    project_id: int
    subject: str
    role: MemberRole
    source: MemberSource
    email: str | None

    @property
    def id(self) -> str:
        return encode("Member", self.project_id, _digest(self.subject))

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
            row["project_id"],
            row["subject"],
            MemberRole(row["role"]),
            MemberSource(row["source"]),
            row["email"],
        )


def _digest(subject: str) -> str:
    return blake2b(subject.encode(), digest_size=_DIGEST_BYTES).hexdigest()


async def upsert(
    context: Context, project: str, member: MemberFields
) -> tuple[Member | None, list[UserError]]:
    """Adds or changes a member; from then on, tokens change it no more."""
    project_id = await context.project_id(project)
    if project_id is None:
        return None, [no_project(project, Code.UNKNOWN_PROJECT)]
    if errors := list(_errors(member)):
        return None, errors
    by = context.viewer.subject
    async with context.transaction() as connection:
        done = await queries.upsert(connection, project_id, member, by, context.now)
    if not done:
        message = f"The project has {MEMBERS_AT_MOST:,} members, the most allowed."
        return None, [too_many(message)]
    context.forget_loaded()
    return await member_of(context, project_id, member.subject), []


async def remove(context: Context, project: str, subject: str) -> tuple[bool, list[UserError]]:
    """Removes a member; returns whether there was one."""
    project_id = await context.project_id(project)
    if project_id is None:
        return False, [no_project(project, Code.UNKNOWN_PROJECT)]
    if errors := list(_subject_errors(subject)):
        return False, errors
    async with context.transaction() as connection:
        removed = await queries.remove(connection, project_id, subject)
    context.forget_loaded()
    return removed, []


async def members_of_project(context: Context, project: Project) -> list[Member]:
    return await _members(context, project.project_id)


async def member_of(context: Context, project_id: int, subject: str) -> Member | None:
    """Returns the member of a project in scope with this subject; None if there is none."""
    members = await _members(context, project_id)
    return next((each for each in members if each.subject == subject), None)


async def member_by_key(context: Context, project_id: int, digest: str) -> Member | None:
    members = await _members(context, project_id)
    return next((each for each in members if _digest(each.subject) == digest), None)


async def _members(context: Context, project_id: int) -> list[Member]:
    rows = await context.loaders.of(of_projects).load(project_id)
    return [Member.of(row) for row in rows or []]


def _errors(member: MemberFields) -> Iterator[UserError]:
    yield from _subject_errors(member.subject)
    if member.email is not None and not is_email(member.email):
        # Without the value: answers hold no addresses.
        yield wrong("email", "This is no e-mail address, such as name@example.com.")


def _subject_errors(subject: str) -> Iterator[UserError]:
    if not subject.strip() or len(subject) > MAX_NAME_LENGTH:
        message = f"Give the claim `sub` of the member's tokens, 1 to {MAX_NAME_LENGTH} characters."
        yield wrong("subject", message)
    elif not can_be_stored(subject):
        message = "The text has a NUL or a lone surrogate, which cannot be stored: remove it."
        yield wrong("subject", message, Code.INVALID_TEXT)
