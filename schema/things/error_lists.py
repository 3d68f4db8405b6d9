"""Root fields of errors: the list, and one by its id."""

from enum import Enum
from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from resolvers import error_rates
from resolvers import errors as resolvers
from resolvers.error_rates import SPIKES_AT_MOST, WATCHED
from schema.declarations import STATEMENT, field, valued
from schema.enums import Direction
from schema.figures.filters import filter_argument, filter_names
from schema.figures.ranges import UTC, TimeRange, ZoneArgument, to_range
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.things.error_occurrences import OccurrenceQueries, SearchArgument
from schema.things.error_parts import ErrorSpike
from schema.things.errors import Error, ErrorStatus
from storage.error_groups.tables import Facet
from storage.facts.error_occurrences import ERROR_OCCURRENCES


@strawberry.enum(description="What errors are sorted by.")
class ErrorOrderField(Enum):
    LAST_SEEN = valued("last_at", "The time of the latest occurrence.")
    FIRST_SEEN = valued("first_at", "The time of the first occurrence.")
    OCCURRENCES = valued("occurrences", "The number of occurrences, in the range if one is given.")
    USERS = valued("user_count", "The number of affected users, of all time.")


@strawberry.input(description="The order of errors; the id decides between equal ones.")
class ErrorOrder:
    field: ErrorOrderField = strawberry.field(
        default=ErrorOrderField.LAST_SEEN, description="What to sort by."
    )
    direction: Direction = strawberry.field(default=Direction.DESC, description="The direction.")


def _names(of: str) -> Any:
    text = f"Only errors {of}, at most {resolvers.MAX_VALUES} of them; all by default."
    return Annotated[list[str] | None, strawberry.argument(text)]


@strawberry.type
class ErrorQueries(OccurrenceQueries):
    @field(
        Permission.READ,
        "An error by its global id; null if you can see none. The id of a merged one leads to the "
        "error it is part of.",
        kept=True,
        facts=(ERROR_OCCURRENCES.name,),
    )
    async def error(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument("The global id.")]
    ) -> Error | None:
        return await resolvers.error(info.context, id)  # type: ignore[return-value]

    @field(
        Permission.READ,
        "The errors you can see, without those that are merged into others; null on error.",
        kept=True,
        facts=(ERROR_OCCURRENCES.name,),
    )
    async def errors(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        filter: filter_argument(ERROR_OCCURRENCES) = None,  # type: ignore[valid-type]
        statuses: Annotated[
            list[ErrorStatus] | None,
            strawberry.argument("Only those with one of these statuses; all by default."),
        ] = None,
        releases: _names("that occurred in these releases") = None,  # type: ignore[valid-type]
        functions: _names("that occurred in these functions") = None,  # type: ignore[valid-type]
        assignees: _names("that are assigned to these subjects") = None,  # type: ignore[valid-type]
        search: SearchArgument = None,
        range: Annotated[
            TimeRange | None,
            strawberry.argument("Only those that occurred in it; all of all time by default."),
        ] = None,
        first_seen: Annotated[
            TimeRange | None,
            strawberry.argument(
                "Only those that occurred for the first time in it, in any network or environment."
            ),
        ] = None,
        time_zone: ZoneArgument = UTC,
        order_by: Annotated[
            ErrorOrder | None, strawberry.argument("The order; the latest first by default.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Error] | None:
        order = order_by or ErrorOrder()
        facets = {Facet.RELEASE: releases, Facet.FUNCTION: functions}
        wanted = resolvers.Wanted(
            order.field.value,
            order.direction is Direction.DESC,
            filter_names(filter),
            None if statuses is None else [each.value for each in statuses],
            assignees,
            {facet: tuple(values) for facet, values in facets.items() if values is not None},
            search,
            None if range is None else to_range(info.context, range, time_zone),
            None if first_seen is None else to_range(info.context, first_seen, time_zone),
        )
        page = page_arguments(info, first, after, last, before)
        return await resolvers.errors(info.context, wanted, page)  # type: ignore[return-value]

    @field(
        Permission.READ,
        f"The spikes of the last day, largest first, among the {WATCHED} errors that occurred most "
        "often in it; null on error.",
        facts=(ERROR_OCCURRENCES.name,),
        weight=2 * STATEMENT,
        items=10,
    )
    async def error_spikes(
        self,
        info: Info,
        filter: filter_argument(ERROR_OCCURRENCES) = None,  # type: ignore[valid-type]
        first: Annotated[
            int, strawberry.argument(f"The number of spikes, at most {SPIKES_AT_MOST}.")
        ] = 10,
    ) -> list[ErrorSpike] | None:
        return await error_rates.spikes(info.context, filter_names(filter), first)  # type: ignore[return-value]
