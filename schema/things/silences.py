"""Silences, and the mutations that make and end them."""

from datetime import datetime, time
from enum import Enum
from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from alerts import silences as domain
from resolvers import alert_nodes
from resolvers import silences as resolvers
from schema.declarations import field, mutation, optional, typed, valued
from schema.errors import WHY_REFUSED, UserError
from schema.figures.ranges import UTC
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.nodes import Node, instances_of
from schema.scalars import TimeZone
from schema.things.alert_enums import MatchKind
from schema.things.alerts import OF_PROJECT, PROJECT_LINK
from schema.things.given import link, read
from storage.alerts.changes import ALERTS
from storage.alerts.silences import ACTIVE_AT_MOST
from storage.errors import InvalidInput


@strawberry.enum(description="A day of the week.")
class Weekday(Enum):
    MONDAY = valued(0, "Monday.")
    TUESDAY = valued(1, "Tuesday.")
    WEDNESDAY = valued(2, "Wednesday.")
    THURSDAY = valued(3, "Thursday.")
    FRIDAY = valued(4, "Friday.")
    SATURDAY = valued(5, "Saturday.")
    SUNDAY = valued(6, "Sunday.")


_LABEL = (
    "The label: `rule`, `severity`, `project`, a dimension of the group such as `network`, or one "
    "of the alert's own. A label that an alert lacks is empty."
)
_PATTERN = (
    f"The value, or a regular expression of RE2 of at most {domain.PATTERN_CHARACTERS} characters."
)
_CLOCK = "By the clocks of the time zone, such as 22:00."
Root = strawberry.Parent[resolvers.Silence]
ScheduleOf = strawberry.Parent[domain.Schedule]


@strawberry.type(description="A condition on one label of an alert.")
class Matcher:
    label: str = read(_LABEL)
    value: str = read(_PATTERN)
    kind: Any = typed(MatchKind, "How it is compared.")


@strawberry.type(description="Hours that recur on days of the week.")
class SilenceSchedule:
    weekdays: list[Weekday] = read("The days on which they begin.")

    @strawberry.field(description="The time zone.")
    def time_zone(self, parent: ScheduleOf) -> TimeZone:
        return TimeZone(parent.zone)

    @strawberry.field(description=f"When they begin. {_CLOCK}")
    def start(self, parent: ScheduleOf) -> str:
        return f"{parent.start:%H:%M}"

    @strawberry.field(description=f"When they end, if earlier on the next day. {_CLOCK}")
    def end(self, parent: ScheduleOf) -> str:
        return f"{parent.end:%H:%M}"


@strawberry.type(
    description="A time in which nobody is told of some alerts, which fire all the same."
)
class Silence(Node):
    starts_at: datetime = read("When it begins.")
    ends_at: datetime = read("When it ends at the latest.")
    until_resolved: bool = read("Whether it ends as soon as none of its alerts fires.")
    comment: str = read("Why.")
    created_at: datetime = read("When it was made.")
    created_by: str = read("The subject of the token that made it.")
    ended_at: datetime | None = read("When it was ended before its end; null if it was not.")
    ended_by: str | None = read("The subject of who ended it; null if nobody did.")
    matchers: list[Matcher] = read("The conditions on labels, all of which hold.")
    project = link(alert_nodes.owner_of, PROJECT_LINK, OF_PROJECT)

    @strawberry.field(description="The hours in which it holds; null for all.")
    def schedule(self, parent: Root) -> SilenceSchedule | None:
        return parent.schedule  # type: ignore[return-value]

    @strawberry.field(description="Whether it holds messages back now.")
    def is_active(self, parent: Root, info: Info) -> bool:
        return parent.is_active(info.context.now)

    is_type_of = instances_of(resolvers.Silence)


@strawberry.input(description="A condition on one label of an alert.")
class MatcherInput:
    label: str = read(_LABEL)
    value: str = read(_PATTERN)
    kind: MatchKind | None = optional("How it is compared; EQUAL by default.")


@strawberry.input(description="Hours that recur on days of the week.")
class SilenceScheduleInput:
    weekdays: list[Weekday] = read("The days on which they begin.")
    start: str = read(f"When they begin. {_CLOCK}")
    end: str = read(f"When they end, if earlier on the next day. {_CLOCK}")
    time_zone: TimeZone = strawberry.field(
        default=UTC, description="The time zone.", name="timeZone"
    )


@strawberry.input(
    description=f"A silence to create: a project has at most {ACTIVE_AT_MOST} that are not over, "
    "and so has the platform."
)
class CreateSilenceInput:
    project: str | None = optional(
        "The slug of the project, whose alerts alone it is about; the platform by default, which "
        "needs the role admin."
    )
    matchers: list[MatcherInput] = read(
        f"The conditions on labels, all of which must hold; at most {domain.MATCHERS_AT_MOST}."
    )
    comment: str = read(f"Why, in at most {resolvers.MAX_COMMENT_LENGTH:,} characters.")
    starts_at: datetime | None = optional("When it begins; now by default.")
    ends_at: datetime = read(f"When it ends, at most {domain.LONGEST.days} days after its start.")
    until_resolved: bool = strawberry.field(
        default=False, description="Whether it ends as soon as none of its alerts fires."
    )
    schedule: SilenceScheduleInput | None = optional("The hours in which it holds; all by default.")


@strawberry.input(description="A silence to end.")
class EndSilenceInput:
    silence_id: strawberry.ID = strawberry.field(name="id", description="The global id.")


@strawberry.type(description="The result of a change of a silence.")
class SilencePayload:
    silence: Silence | None = read("The silence after the change; null if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.type
class SilenceQueries:
    @field(
        Permission.READ,
        "The silences you can see, those that end last first: of projects, and for admins of the "
        "platform; null on error.",
        facts=(ALERTS,),
    )
    async def silences(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        projects: Annotated[
            list[str] | None,
            strawberry.argument(
                "Slugs of projects; NOT_FOUND if you cannot see one of them. All by default."
            ),
        ] = None,
        current: Annotated[bool, strawberry.argument("Only those that are not over.")] = True,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Silence] | None:
        page = page_arguments(info, first, after, last, before)
        return await resolvers.silences(info.context, projects, current, page)  # type: ignore[return-value]


@strawberry.type
class SilenceMutations:
    @mutation(Permission.MANAGE, "Silences alerts for a time.", targets=("project",))
    async def create_silence(
        self, info: Info, input: Annotated[CreateSilenceInput, strawberry.argument("The silence.")]
    ) -> SilencePayload:
        given = resolvers.Given(
            tuple(map(_matcher, input.matchers)),
            input.starts_at or info.context.now,
            input.ends_at,
            input.until_resolved,
            None if input.schedule is None else _schedule(input.schedule),
            input.comment,
        )
        done = await resolvers.create(info.context, input.project, given)
        return SilencePayload(silence=done.silence, user_errors=done.user_errors)  # type: ignore[arg-type]

    @mutation(Permission.MANAGE, "Ends a silence before its end.", targets=("id",))
    async def end_silence(
        self, info: Info, input: Annotated[EndSilenceInput, strawberry.argument("The silence.")]
    ) -> SilencePayload:
        done = await resolvers.end(info.context, input.silence_id)
        return SilencePayload(silence=done.silence, user_errors=done.user_errors)  # type: ignore[arg-type]


def _matcher(given: MatcherInput) -> domain.Matcher:
    kind = domain.MatchKind.EQUAL if given.kind is None else given.kind.value
    return domain.Matcher(given.label, given.value, kind)


def _schedule(given: SilenceScheduleInput) -> domain.Schedule:
    days = tuple(sorted({day.value for day in given.weekdays}))
    start, end = (_time(getattr(given, name), name) for name in ("start", "end"))
    return domain.Schedule(days, start, end, given.time_zone)


def _time(text: str, path: str) -> time:
    """A time of day; raises InvalidInput."""
    try:
        hours, minutes = text.split(":")
        return time(int(hours), int(minutes))
    except ValueError:
        raise InvalidInput("A time of day is written like 22:00.", path=path) from None
