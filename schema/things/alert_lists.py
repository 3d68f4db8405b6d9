"""Root fields of alerts: the list, one by its id, what happened, and what was not read yet."""

from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from resolvers import alerts as resolvers
from resolvers.lists import MAX_TEXT_LENGTH
from schema.declarations import field, optional
from schema.enums import Direction
from schema.figures.ranges import UTC, TimeRange, ZoneArgument, to_range
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.things.alert_enums import (
    AlertOrderField,
    AlertSeverity,
    AlertState,
    AlertTransition,
)
from schema.things.alerts import Alert, AlertEvent
from storage.alerts.changes import ALERTS

_PROJECTS = (
    "Slugs of projects; NOT_FOUND if you cannot see one of them. By default all you can see, and "
    "for admins the platform."
)


@strawberry.input(description="Selects the alerts that match every given field.")
class AlertFilter:
    projects: list[str] | None = optional(_PROJECTS)
    severities: list[AlertSeverity] | None = optional("Severities.")
    states: list[AlertState] | None = optional("States.")
    enabled: bool | None = optional("Whether they are evaluated.")
    platform: bool | None = optional(
        "True: only those of the platform, which admins alone can see. False: only those of "
        "projects. Both by default."
    )
    deleted: bool = strawberry.field(
        default=False, description="Those that were deleted, instead of those that were not."
    )


@strawberry.input(description="Selects what happened that matches every given field.")
class AlertEventFilter:
    projects: list[str] | None = optional(_PROJECTS)
    alerts: list[strawberry.ID] | None = optional("The global ids of alerts, also deleted ones.")
    severities: list[AlertSeverity] | None = optional("Severities.")
    transitions: list[AlertTransition] | None = optional("Transitions.")


@strawberry.input(description="The order of alerts; the name decides between equal ones.")
class AlertOrder:
    field: AlertOrderField = strawberry.field(
        default=AlertOrderField.STATE, description="What to sort by."
    )
    direction: Direction = strawberry.field(default=Direction.DESC, description="The direction.")


@strawberry.type
class AlertQueries:
    @field(
        Permission.READ,
        "An alert by its global id, also a deleted one; null if you can see none.",
        kept=True,
        facts=(ALERTS,),
    )
    async def alert(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument("The global id.")]
    ) -> Alert | None:
        return await resolvers.alert(info.context, id)  # type: ignore[return-value]

    @field(
        Permission.READ,
        "The alerts you can see: of projects, and for admins of the platform; null on error.",
        kept=True,
        facts=(ALERTS,),
    )
    async def alerts(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        filter: Annotated[
            AlertFilter | None, strawberry.argument("The alerts to select; all by default.")
        ] = None,
        search: Annotated[
            str | None,
            strawberry.argument(
                "Only those whose name contains this text, in upper or lower case; at most "
                f"{MAX_TEXT_LENGTH} characters."
            ),
        ] = None,
        order_by: Annotated[
            AlertOrder | None, strawberry.argument("The order; those that fire first by default.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Alert] | None:
        chosen, order = filter or AlertFilter(), order_by or AlertOrder()
        wanted = resolvers.Wanted(
            order.field.value,
            order.direction is Direction.DESC,
            chosen.projects,
            values_of(chosen.severities),
            values_of(chosen.states),
            chosen.enabled,
            chosen.deleted,
            chosen.platform,
            search,
        )
        page = page_arguments(info, first, after, last, before)
        return await resolvers.alerts(info.context, wanted, page)  # type: ignore[return-value]

    @field(
        Permission.READ,
        "What happened to the alerts you can see, newest first; null on error.",
        kept=True,
        facts=(ALERTS,),
    )
    async def alert_events(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        filter: Annotated[
            AlertEventFilter | None, strawberry.argument("What to select; all by default.")
        ] = None,
        range: Annotated[
            TimeRange | None, strawberry.argument("Only what happened in it; all by default.")
        ] = None,
        time_zone: ZoneArgument = UTC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AlertEvent] | None:
        chosen = filter or AlertEventFilter()
        wanted = resolvers.WantedEvents(
            chosen.projects,
            chosen.alerts,
            values_of(chosen.severities),
            values_of(chosen.transitions),
            None if range is None else to_range(info.context, range, time_zone),
        )
        page = page_arguments(info, first, after, last, before)
        return await resolvers.events(info.context, wanted, page)  # type: ignore[return-value]

    @field(
        Permission.READ,
        "What people are told about and you have not marked as read, newest first; of at most "
        f"{resolvers.UNREAD_FOR.days} days; null on error.",
        facts=(ALERTS,),
    )
    async def unread_alert_events(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AlertEvent] | None:
        page = page_arguments(info, first, after, last, before)
        return await resolvers.unread(info.context, page)  # type: ignore[return-value]


def values_of(given: list[Any] | None) -> list[Any] | None:
    """The values of enums; None for none."""
    return None if given is None else [each.value for each in given]
