"""Errors: groups of occurrences with the same cause, and what is counted of each."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers import error_fields, error_occurrences, error_rates, log_links
from resolvers import errors as resolvers
from resolvers.error_fields import VALUES_AT_MOST
from resolvers.provisioned import project_of
from schema.declarations import HALF_STATEMENT, STATEMENT, costs, typed, valued
from schema.enums import Interval
from schema.figures.ranges import UTC, RangeArgument, ZoneArgument, to_range
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.nodes import Node, instances_of
from schema.scalars import Long
from schema.things.causes import ErrorCauses
from schema.things.deployments import Deployment
from schema.things.error_occurrences import SEVERITY, ErrorOccurrence
from schema.things.error_parts import (
    ErrorComment,
    ErrorCount,
    ErrorDeployment,
    ErrorFingerprint,
    ErrorFunction,
    ErrorRelease,
    ErrorSpike,
    MergedError,
)
from schema.things.given import link, read
from schema.things.log_links import log_lines_field
from schema.things.members import Member
from storage.error_groups import tables
from storage.error_groups.tables import Facet
from storage.facts.deployments import DEPLOYMENTS

if TYPE_CHECKING:
    from schema.things.projects import Project

Root = strawberry.Parent[resolvers.Error]


FirstValues = Annotated[int, strawberry.argument(f"The number of them, at most {VALUES_AT_MOST}.")]


def _facet(facet: Facet, kind: Any, description: str) -> Any:
    """The values that occurrences of the error have, with their counts."""

    async def values(parent: Root, info: Info, first: FirstValues = 10) -> Any:
        return await error_fields.facet(info.context, parent, facet, first)

    values.__annotations__["return"] = list[kind] | None
    return strawberry.field(values, description=description, metadata=costs(weight=HALF_STATEMENT))


@strawberry.enum(description="The status of an error.")
class ErrorStatus(Enum):
    OPEN = valued(int(tables.ErrorStatus.OPEN), "It is to be looked at, or occurred again.")
    RESOLVED = valued(int(tables.ErrorStatus.RESOLVED), "It is said not to occur any more.")
    IGNORED = valued(int(tables.ErrorStatus.IGNORED), "It is left alone, for a time or for good.")


@strawberry.type(description="An error: a group of occurrences with the same cause.")
class Error(ErrorCauses, Node):
    title: str = read("The type and message of the latest occurrence, on one line.")
    error_type: str | None = read("The type, such as ValueError; null for a message.")
    culprit: str | None = read("Where it occurred: a function or a route; null if unknown.")
    severity: Any = typed(SEVERITY, "How bad the latest occurrence is.")
    platform: str | None = read("The platform of the SDK, such as python; null if not sent.")
    status: ErrorStatus = read("The status.")
    decided_at: datetime | None = read("When its status was last decided; null if it never was.")
    decided_by: str | None = read("The claim `sub` of whoever did; null if nobody did.")
    resolved_in: str | None = read("The first release without it; null if not said.")
    resolved_after: str | None = read(
        "It is resolved in the release after this one; null if not said."
    )
    ignored_until: datetime | None = read("Until when it is ignored; null if not for a time.")
    ignored_count: Long | None = read(
        "It is ignored up to this number of occurrences; null if not by number."
    )
    ignored_release: str | None = read(
        "It is ignored until a release after this one; null if not by release."
    )
    regressed_at: datetime | None = read(
        "When it last occurred again after it had been resolved; null if it never did."
    )
    regressed_release: str | None = read("The release in which it did; null if unknown.")
    regressions: int = read("How often it came back after it had been resolved.")
    first_seen: datetime = read("When it first occurred.")
    last_seen: datetime = read("When it last occurred.")
    first_release: str | None = read("The release of the first occurrence; null if unknown.")
    last_release: str | None = read("The release of the latest occurrence; null if unknown.")
    occurrences: Long = read("How often it occurred, of all time.")
    affected_users: int = read(
        "How many users met it, of all time: exact up to 1,000, then within 3 %."
    )

    occurrences_in_range = link(
        resolvers.occurrences_in_range,
        Long | None,
        "How often it occurred in the range of the list, with the filter of the list; null in "
        "lists without a range, and on error.",
    )
    project = link(project_of, Annotated["Project", strawberry.lazy(".projects")], "The project.")
    assignee = link(
        error_fields.assignee,
        Member | None,
        "Whom it is assigned to; null if nobody who is a member still.",
    )
    regressed_by = link(
        error_fields.regressed_by,
        Deployment | None,
        "The deployment that brought it back after it had been resolved: the latest one of the "
        "release until then; null if unknown.",
        facts=(DEPLOYMENTS.name,),
        of_entity=True,
    )
    grouping = link(
        error_fields.grouping,
        list[ErrorFingerprint] | None,
        "Its fingerprints, and what decides each: several after a merge; null on error.",
    )

    @strawberry.field(
        description="How often it occurred by bucket of time, empty buckets included; null on "
        "error.",
        metadata=costs(weight=STATEMENT, items=30),
    )
    async def series(
        self,
        parent: Root,
        info: Info,
        range: RangeArgument = None,
        interval: Annotated[
            Interval, strawberry.argument("The length of the buckets.")
        ] = Interval.AUTO,
        time_zone: ZoneArgument = UTC,
    ) -> list[ErrorCount] | None:
        span = to_range(info.context, range, time_zone)
        wanted = interval.value, time_zone
        return await error_rates.series(info.context, parent, span, *wanted)  # type: ignore[return-value]

    spike = link(
        error_rates.spike,
        ErrorSpike | None,
        "The first hour of the last day in which it occurred at least three times as often as in "
        "that hour of the seven days before, and more often than chance explains (1 % false alarms "
        "over the day); null if none.",
    )
    releases = _facet(
        Facet.RELEASE, ErrorRelease, "The releases it occurred in, the latest first; null on error."
    )
    functions = _facet(
        Facet.FUNCTION,
        ErrorFunction,
        "The functions it occurred in, the latest first; null on error.",
    )
    deployments = _facet(
        Facet.DEPLOYMENT,
        ErrorDeployment,
        "The deployments that were live when it occurred, the latest first; null on error.",
    )
    latest_occurrence = link(
        error_occurrences.latest_occurrence,
        ErrorOccurrence | None,
        "The latest occurrence; null if it is older than occurrences are stored.",
    )

    @strawberry.field(
        description="The occurrences that are stored, newest first; null on error.",
        metadata=costs(weight=STATEMENT),
    )
    async def latest_occurrences(
        self,
        parent: Root,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ErrorOccurrence] | None:
        page = page_arguments(info, first, after, last, before)
        return await error_occurrences.occurrences_of(info.context, parent, page)  # type: ignore[return-value]

    log_lines = log_lines_field(
        log_links.of_error,
        "of its latest occurrence: of the same trace, or if it has none, of the same deployment or "
        f"environment within {log_links.BEFORE.seconds} seconds before it",
        weight=3 * STATEMENT,
    )
    comments = link(
        error_fields.comments,
        list[ErrorComment] | None,
        "The comments on it and on what is merged into it, oldest first; null on error.",
    )
    merged_errors = link(
        error_fields.merged,
        list[MergedError] | None,
        "The errors that are merged into it; null on error.",
    )

    is_type_of = instances_of(resolvers.Error)
