"""Errors: groups of occurrences with the same cause, and what is counted of each."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from resolvers import error_fields, error_occurrences, error_rates
from resolvers import errors as resolvers
from resolvers.error_fields import VALUES_AT_MOST
from resolvers.provisioned import project_of
from schema.declarations import HALF_STATEMENT, STATEMENT, costs
from schema.enums import Interval
from schema.figures.ranges import UTC, RangeArgument, ZoneArgument, to_range
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.lists.links import links
from schema.nodes import Node, instances_of
from schema.scalars import Long
from schema.selection import look_ahead
from schema.things.causes import ErrorCauses
from schema.things.deployments import Deployment
from schema.things.error_occurrences import SEVERITY, ErrorOccurrence
from schema.things.functions import Function
from schema.things.given import typed
from schema.things.members import Member
from storage.error_groups import tables
from storage.error_groups.tables import Facet
from storage.facts.deployments import DEPLOYMENTS

if TYPE_CHECKING:
    from schema.things.projects import Project

Root = strawberry.Parent[resolvers.Error]
FacetRoot = strawberry.Parent[error_fields.FacetCount]

_LOADED = costs(weight=HALF_STATEMENT)
_WITH_DEPLOYMENTS = costs(weight=HALF_STATEMENT, facts=(DEPLOYMENTS.name,))

FirstValues = Annotated[int, strawberry.argument(f"The number of them, at most {VALUES_AT_MOST}.")]


def _value(value: Any, description: str) -> Any:
    return strawberry.enum_value(value, description=description)


def _read(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.enum(description="The status of an error.")
class ErrorStatus(Enum):
    OPEN = _value(int(tables.ErrorStatus.OPEN), "It is to be looked at, or occurred again.")
    RESOLVED = _value(int(tables.ErrorStatus.RESOLVED), "It is said not to occur any more.")
    IGNORED = _value(int(tables.ErrorStatus.IGNORED), "It is left alone, for a time or for good.")


@strawberry.type(description="A part of an event that decides which error it belongs to.")
class ErrorGroupingPart:
    part: str = _read("The part, such as IN_APP_FRAMES or MESSAGE_TEMPLATE.")
    values: list[str] = _read("Its values, cut if they are many or long.")


@strawberry.type(description="A fingerprint: occurrences with the same one belong together.")
class ErrorFingerprint:
    id: UUID = _read("The id of the fingerprint.")
    version: int = _read("The version of the rules that made it.")
    decided_by: list[ErrorGroupingPart] = _read("The parts of the event that decided it.")
    occurrences: Long = _read("How many occurrences have it.")
    first_seen: datetime = _read("When the first one occurred.")
    last_seen: datetime = _read("When the latest one occurred.")

    is_type_of = instances_of(error_fields.Fingerprint)


@strawberry.type
class CountedValue:
    occurrences: Long = _read("How often the error occurred with it.")
    first_seen: datetime = _read("When it first occurred with it.")
    last_seen: datetime = _read("When it last occurred with it.")


@strawberry.type(description="How often an error occurred in a release.")
class ErrorRelease(CountedValue):
    @strawberry.field(description="The release.")
    def release(self, parent: FacetRoot) -> str:
        return parent.value


@strawberry.type(description="How often an error occurred in a function.")
class ErrorFunction(CountedValue):
    @strawberry.field(description="The name of the function.")
    def name(self, parent: FacetRoot) -> str:
        return parent.value

    @strawberry.field(description="The function; null if none was invoked.", metadata=_LOADED)
    async def function(self, parent: FacetRoot, info: Info) -> Function | None:
        name, project_id = parent.value, parent.project_id
        return await error_occurrences.function(info.context, project_id, name)  # type: ignore[return-value]


@strawberry.type(description="How often an error occurred while a deployment was live.")
class ErrorDeployment(CountedValue):
    @strawberry.field(description="The deployment; null if unknown.", metadata=_WITH_DEPLOYMENTS)
    async def deployment(self, parent: FacetRoot, info: Info) -> Deployment | None:
        wanted = look_ahead(info, links)
        return await error_fields.deployment_of(info.context, parent, wanted)  # type: ignore[return-value]


@strawberry.type(description="How often an error occurred in a bucket of time.")
class ErrorCount:
    start: datetime = _read("The start, inside the bucket.")
    end: datetime = _read("The end, outside the bucket.")
    occurrences: Long = _read("The number of occurrences.")

    is_type_of = instances_of(error_rates.Point)


@strawberry.type(description="An hour in which an error occurred more often than before.")
class ErrorSpike:
    error: Annotated["Error", strawberry.lazy(".errors")] = _read("The error.")
    started_at: datetime = _read("The start of the first such hour of the last day.")
    occurrences: Long = _read("How often it occurred in that hour.")
    expected: float = _read("The average of that hour in the seven days before.")

    is_type_of = instances_of(error_rates.Spike)


@strawberry.type(description="A comment on an error.")
class ErrorComment:
    id: strawberry.ID = _read("The id, to delete it by.")
    author: str = _read("The claim `sub` of the author's token.")
    text: str = _read("The text.")
    created_at: datetime = _read("When it was written.")

    is_type_of = instances_of(error_fields.Comment)


@strawberry.type(description="An error that is merged into another one.")
class MergedError:
    id: strawberry.ID = _read("Its global id, which leads to the other error until it is unmerged.")
    title: str = _read("Its title when it was merged.")
    error_type: str | None = _read("Its type; null for a message.")
    culprit: str | None = _read("Where it occurred; null if unknown.")


@strawberry.type(description="An error: a group of occurrences with the same cause.")
class Error(ErrorCauses, Node):
    title: str = _read("The type and message of the latest occurrence, on one line.")
    error_type: str | None = _read("The type, such as ValueError; null for a message.")
    culprit: str | None = _read("Where it occurred: a function or a route; null if unknown.")
    severity: Any = typed(SEVERITY, "How bad the latest occurrence is.")
    platform: str | None = _read("The platform of the SDK, such as python; null if not sent.")
    status: ErrorStatus = _read("The status.")
    decided_at: datetime | None = _read("When its status was last decided; null if it never was.")
    decided_by: str | None = _read("The claim `sub` of whoever did; null if nobody did.")
    resolved_in: str | None = _read("The first release without it; null if not said.")
    resolved_after: str | None = _read(
        "It is resolved in the release after this one; null if not said."
    )
    ignored_until: datetime | None = _read("Until when it is ignored; null if not for a time.")
    ignored_count: Long | None = _read(
        "It is ignored up to this number of occurrences; null if not by number."
    )
    ignored_release: str | None = _read(
        "It is ignored until a release after this one; null if not by release."
    )
    regressed_at: datetime | None = _read(
        "When it last occurred again after it had been resolved; null if it never did."
    )
    regressed_release: str | None = _read("The release in which it did; null if unknown.")
    regressions: int = _read("How often it came back after it had been resolved.")
    first_seen: datetime = _read("When it first occurred.")
    last_seen: datetime = _read("When it last occurred.")
    first_release: str | None = _read("The release of the first occurrence; null if unknown.")
    last_release: str | None = _read("The release of the latest occurrence; null if unknown.")
    occurrences: Long = _read("How often it occurred, of all time.")
    affected_users: int = _read(
        "How many users met it, of all time: exact up to 1,000, then within 3 %."
    )

    @strawberry.field(
        description="How often it occurred in the range of the list, with the filter of the list; "
        "null in lists without a range, and on error.",
        metadata=_LOADED,
    )
    async def occurrences_in_range(self, parent: Root, info: Info) -> Long | None:
        return await resolvers.occurrences_in_range(info.context, parent)  # type: ignore[return-value]

    @strawberry.field(description="The project.", metadata=_LOADED)
    async def project(
        self, parent: Root, info: Info
    ) -> Annotated["Project", strawberry.lazy(".projects")]:
        return await project_of(info.context, parent)  # type: ignore[return-value]

    @strawberry.field(
        description="Whom it is assigned to; null if nobody who is a member still.",
        metadata=_LOADED,
    )
    async def assignee(self, parent: Root, info: Info) -> Member | None:
        return await error_fields.assignee(info.context, parent)  # type: ignore[return-value]

    @strawberry.field(
        description="The deployment that brought it back after it had been resolved: the latest "
        "one of the release until then; null if unknown.",
        metadata=_WITH_DEPLOYMENTS,
    )
    async def regressed_by(self, parent: Root, info: Info) -> Deployment | None:
        wanted = look_ahead(info, links)
        return await error_fields.regressed_by(info.context, parent, wanted)  # type: ignore[return-value]

    @strawberry.field(
        description="Its fingerprints, and what decides each: several after a merge; null on "
        "error.",
        metadata=_LOADED,
    )
    async def grouping(self, parent: Root, info: Info) -> list[ErrorFingerprint] | None:
        return await error_fields.grouping(info.context, parent)  # type: ignore[return-value]

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

    @strawberry.field(
        description="The first hour of the last day in which it occurred at least three times as "
        "often as in that hour of the seven days before, and more often than chance explains (1 % "
        "false alarms over the day); null if none.",
        metadata=_LOADED,
    )
    async def spike(self, parent: Root, info: Info) -> ErrorSpike | None:
        return await error_rates.spike(info.context, parent)  # type: ignore[return-value]

    @strawberry.field(
        description="The releases it occurred in, the latest first; null on error.",
        metadata=_LOADED,
    )
    async def releases(
        self, parent: Root, info: Info, first: FirstValues = 10
    ) -> list[ErrorRelease] | None:
        return await error_fields.facet(info.context, parent, Facet.RELEASE, first)  # type: ignore[return-value]

    @strawberry.field(
        description="The functions it occurred in, the latest first; null on error.",
        metadata=_LOADED,
    )
    async def functions(
        self, parent: Root, info: Info, first: FirstValues = 10
    ) -> list[ErrorFunction] | None:
        return await error_fields.facet(info.context, parent, Facet.FUNCTION, first)  # type: ignore[return-value]

    @strawberry.field(
        description="The deployments that were live when it occurred, the latest first; null on "
        "error.",
        metadata=_LOADED,
    )
    async def deployments(
        self, parent: Root, info: Info, first: FirstValues = 10
    ) -> list[ErrorDeployment] | None:
        return await error_fields.facet(info.context, parent, Facet.DEPLOYMENT, first)  # type: ignore[return-value]

    @strawberry.field(
        description="The latest occurrence; null if it is older than occurrences are stored.",
        metadata=_LOADED,
    )
    async def latest_occurrence(self, parent: Root, info: Info) -> ErrorOccurrence | None:
        return await error_occurrences.latest_occurrence(info.context, parent)  # type: ignore[return-value]

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

    @strawberry.field(
        description="The comments on it and on what is merged into it, oldest first; null on "
        "error.",
        metadata=_LOADED,
    )
    async def comments(self, parent: Root, info: Info) -> list[ErrorComment] | None:
        return await error_fields.comments(info.context, parent)  # type: ignore[return-value]

    @strawberry.field(
        description="The errors that are merged into it; null on error.", metadata=_LOADED
    )
    async def merged_errors(self, parent: Root, info: Info) -> list[MergedError] | None:
        return await error_fields.merged(info.context, parent)  # type: ignore[return-value]

    is_type_of = instances_of(resolvers.Error)
