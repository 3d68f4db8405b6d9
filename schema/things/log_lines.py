"""Log lines, with links to the function and the deployment that wrote them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from access.viewers import Permission
from ingest.wire import WIRES
from resolvers import log_lines as resolvers
from resolvers.lists import MAX_RANGE, MAX_TEXT_LENGTH
from resolvers.provisioned import project_of
from schema.declarations import HALF_STATEMENT, STATEMENT, costs, field, typed
from schema.enums import choice_enum
from schema.figures.filters import filter_argument, filter_names
from schema.figures.ranges import UTC, TimeRange, ZoneArgument, to_range
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.nodes import Node, instances_of
from schema.scalars import Json
from schema.things.deployments import Deployment
from schema.things.environments import Environment
from schema.things.functions import Function
from schema.things.given import given, link, read
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.invocations import INVOCATIONS
from storage.facts.log_lines import LOG_LINES

if TYPE_CHECKING:
    from schema.things.projects import Project

Root = strawberry.Parent[resolvers.LogLine]

LEVEL = choice_enum(WIRES[LOG_LINES.name], "level")
_LINK = costs(weight=HALF_STATEMENT)
_NONE_SENT = "null if none was sent or the project has too many."

Levels = Annotated[
    list[LEVEL] | None,  # type: ignore[valid-type]
    strawberry.argument("Only lines of these levels; all by default."),
]
SearchArgument = Annotated[
    str | None,
    strawberry.argument(
        "Only lines with these words in their message, the values of their fields, their logger or "
        'the ids of their trace and span. The last word may be the beginning of one, "…" is a '
        f"phrase, `-` excludes a word; at most {MAX_TEXT_LENGTH} characters.",
        metadata=costs(weight=2 * STATEMENT),  # it has more than one, most of them short
    ),
]
RangeArgument = Annotated[
    TimeRange | None,
    strawberry.argument(
        "Only lines written in it; all that are stored by default. Of a search, at most "
        f"{MAX_RANGE.days} days, the last ones by default."
    ),
]


@strawberry.type(description="A line of a log.")
class LogLine(Node):
    event_id: UUID = read("The event's UUID.")
    external_id: str | None = read("The id as sent; null if it is the UUID or none was sent.")
    occurred_at: datetime = read("When it was written.")
    level: Any = typed(LEVEL, "How bad it is.")
    logger: str | None = read(f"What wrote it, such as a module; {_NONE_SENT}")
    environment: Environment | None = read(f"The environment; {_NONE_SENT}")
    function: Function | None = strawberry.field(
        description=f"The function that wrote it; {_NONE_SENT}",
        metadata=costs(facts=(INVOCATIONS.name,)),
    )
    release: Any = given(LOG_LINES, "release")
    trace_id: Any = given(LOG_LINES, "trace_id")
    span_id: Any = given(LOG_LINES, "span_id")

    @strawberry.field(
        description="What it says, without secrets; null if nothing was sent, or if the text was "
        "not kept.",
        metadata=_LINK,
    )
    async def message(self, parent: Root, info: Info) -> str | None:
        text = await resolvers.text(info.context, parent)
        return text and text.message

    @strawberry.field(
        description="Values by name, without secrets; null if none was sent, or if the text was "
        "not kept.",
        metadata=_LINK,
    )
    async def fields(self, parent: Root, info: Info) -> Json | None:
        text = await resolvers.text(info.context, parent)
        return text and text.fields  # type: ignore[return-value]

    @strawberry.field(
        description="True if its message and fields are kept; false beyond what a project may keep "
        "in a day.",
        metadata=_LINK,
    )
    async def has_text(self, parent: Root, info: Info) -> bool:
        return await resolvers.text(info.context, parent) is not None

    project = link(project_of, Annotated["Project", strawberry.lazy(".projects")], "The project.")
    deployment = link(
        resolvers.deployment,
        Deployment | None,
        "The deployment that wrote it: the one that was sent, else the one of its release; null if "
        "unknown.",
        facts=(DEPLOYMENTS.name,),
        of_entity=True,
    )

    is_type_of = instances_of(resolvers.LogLine)


@strawberry.type
class LogQueries:
    @field(
        Permission.READ,
        "The log lines you can see, newest first; null on error.",
        kept=True,
        facts=(LOG_LINES.name,),
    )
    async def log_lines(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        filter: filter_argument(LOG_LINES) = None,  # type: ignore[valid-type]
        levels: Levels = None,
        search: SearchArgument = None,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
        deployment: Annotated[
            strawberry.ID | None,
            strawberry.argument("Only lines of the deployment with this global id or UUID."),
        ] = None,
        trace_id: Annotated[
            str | None, strawberry.argument("Only lines of the trace with this id.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[LogLine] | None:
        wanted = resolvers.Wanted(
            filter_names(filter),
            levels_of(levels),
            search,
            None if range is None else to_range(info.context, range, time_zone),
            deployment,
            trace_id,
        )
        page = page_arguments(info, first, after, last, before)
        return await resolvers.log_lines(info.context, wanted, page)  # type: ignore[return-value]


def levels_of(given: list[Any] | None) -> list[int] | None:
    """The numbers of levels."""
    return None if given is None else [each.value for each in given]
