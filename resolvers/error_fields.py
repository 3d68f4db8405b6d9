"""Fields of errors: counts by release, deployments, comments, what decided the group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from resolvers.context import Context
from resolvers.entities import Deployment, Links, newest_entities
from resolvers.errors import Error
from resolvers.identifiers import encode_entity
from resolvers.members import Member, member_of
from resolvers.names import Function
from resolvers.pages import page_size
from storage.dimensions import FUNCTION
from storage.error_groups.tables import Facet
from storage.facts.deployments import DEPLOYMENTS
from storage.queries.errors.related import COMMENTS, FINGERPRINTS, MERGED, Related, of_facet
from storage.queries.keyed import Newest
from storage.queries.times import parse_time

VALUES_AT_MOST = 100
# The deployments of a release to look through for the one before a regression.
_DEPLOYMENTS = 20


async def rows_of(context: Context, error: Error, kind: Related) -> Sequence[Any]:
    """Returns the rows of a kind that belong to the error."""
    return await context.loaders.of_errors(kind).load(error.key) or ()


@dataclass(frozen=True, slots=True)
class FacetCount:
    """How often an error occurred with a value: a release, a function, or a deployment's UUID."""

    project_id: int
    value: str
    occurrences: int
    first_seen: datetime
    last_seen: datetime

    release = name = property(lambda self: self.value)


async def facet(context: Context, error: Error, of: Facet, first: int) -> list[FacetCount]:
    page_size(first, most=VALUES_AT_MOST)
    rows = await context.loaders.of_errors(of_facet(of), first).load(error.key)
    return [FacetCount(*(row[name] for name in _FACET_COLUMNS)) for row in rows or ()]


_FACET_COLUMNS = ("project_id", "value", "occurrences", "first_at", "last_at")


async def function_of(context: Context, count: FacetCount) -> Function | None:
    return await function_by_name(context, count.project_id, count.value)


async def function_by_name(context: Context, project_id: int, name: str) -> Function | None:
    """Returns a function that the project has."""
    row = await context.loaders.name_in_project(FUNCTION).load((project_id, name))
    return Function.of(row) if row else None


async def deployment_of(context: Context, count: FacetCount, links: Links) -> Deployment | None:
    return await deployment_by_id(context, count.project_id, UUID(count.value), links)


async def deployment_by_id(
    context: Context, project_id: int, id: UUID, links: Links
) -> Deployment | None:
    wanted = Newest(DEPLOYMENTS, DEPLOYMENTS.key, 1, links.reading)
    found = await newest_entities(context, Deployment, wanted, [(project_id, id)], links)
    return next(iter(found), None)


async def regressed_by(context: Context, error: Error, links: Links) -> Deployment | None:
    """Returns the latest deployment of the release in which a resolved error occurred again."""
    if error.regressed_release is None:
        return None
    wanted = Newest(DEPLOYMENTS, ("project_id", "release"), _DEPLOYMENTS, links.reading)
    key = error.project_id, error.regressed_release
    found = await newest_entities(context, Deployment, wanted, [key], links)
    before = (each for each in found if parse_time(each.row["created_at"]) <= error.regressed_at)
    return next(before, None)


async def assignee(context: Context, error: Error) -> Member | None:
    subject = error.row["assigned_to"]
    return await member_of(context, error.project_id, subject) if subject else None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on an error, or on one that is merged into it."""

    project_id: int
    comment_id: UUID
    author: str
    text: str
    created_at: datetime

    @property
    def id(self) -> str:
        return encode_entity("ErrorComment", self.project_id, self.comment_id)


async def comments(context: Context, error: Error) -> list[Comment]:
    rows = await rows_of(context, error, COMMENTS)
    return [Comment(*(row[name] for name in _COMMENT_COLUMNS)) for row in rows]


_COMMENT_COLUMNS = ("project_id", "comment_id", "author", "text", "created_at")


async def merged(context: Context, error: Error) -> list[Error]:
    """Returns the errors that are merged into it, as they were when they were merged."""
    return [Error(row) for row in await rows_of(context, error, MERGED)]


class GroupingPart(NamedTuple):
    """A part of an event that decides a fingerprint."""

    part: str
    values: Sequence[str]


class Fingerprint(NamedTuple):
    """A fingerprint of an error, and the parts of an event that decide it."""

    id: UUID
    version: int
    decided_by: list[GroupingPart]
    occurrences: int
    first_seen: datetime
    last_seen: datetime


async def grouping(context: Context, error: Error) -> list[Fingerprint]:
    rows = await rows_of(context, error, FINGERPRINTS)
    return [
        Fingerprint(
            row["fingerprint_id"],
            row["grouping"]["version"],
            [GroupingPart(each["part"], each["values"]) for each in row["grouping"]["decidedBy"]],
            *(row[name] for name in ("occurrences", "first_at", "last_at")),
        )
        for row in rows
    ]
