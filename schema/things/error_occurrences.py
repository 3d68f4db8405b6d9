"""Occurrences of errors, with what their SDK sent: exceptions, frames, breadcrumbs, contexts."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from access.viewers import Permission
from ingest.wire import WIRES
from resolvers import error_bodies, lists, log_links
from resolvers import error_occurrences as resolvers
from resolvers.lists import MAX_TEXT_LENGTH
from resolvers.provisioned import project_of
from schema.declarations import STATEMENT, field, typed
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
from schema.things.given import link, read
from schema.things.log_links import log_lines_field
from schema.things.networks import Network
from schema.things.templates import Template
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.invocations import INVOCATIONS
from storage.queries.errors.searching import NEWEST

if TYPE_CHECKING:
    from schema.things.errors import Error
    from schema.things.projects import Project

SEVERITY = choice_enum(WIRES[ERROR_OCCURRENCES.name], "severity")

SearchArgument = Annotated[
    str | None,
    strawberry.argument(
        "Only those with these words in their message, exceptions or frames, of which a sample is "
        'stored. The last word may be the beginning of one, "…" is a phrase, `-` excludes a '
        f"word; at most {MAX_TEXT_LENGTH} characters."
    ),
]


@strawberry.type(description="A call in a stack trace.")
class ErrorFrame:
    file: str | None = read("The file; null if unknown.")
    function: str | None = read("The function; null if unknown.")
    module: str | None = read("The module or package; null if unknown.")
    line: int | None = read("The number of the line; null if unknown.")
    column: int | None = read("The column in the line; null if unknown.")
    in_app: bool = read("True if it belongs to the app, not to a library.")
    lines_before: list[str] = read("Lines of the source before this one.")
    source_line: str | None = read("The line of the source; null if not sent.")
    lines_after: list[str] = read("Lines of the source after this one.")
    vars: Json | None = read("The local variables; null if not sent.")

    is_type_of = instances_of(error_bodies.Frame)


@strawberry.type(description="An exception of a chain.")
class ErrorException:
    type: str | None = read("The type, such as ValueError; null if unknown.")
    value: str | None = read("The message; null if it has none.")
    module: str | None = read("The module of the type; null if unknown.")
    handled: bool | None = read("Whether the app caught it; null if unknown.")
    frames: list[ErrorFrame] = read("The calls that led to it, the innermost last.")

    is_type_of = instances_of(error_bodies.Failure)


@strawberry.type(description="Something that happened before the error.")
class ErrorBreadcrumb:
    occurred_at: datetime | None = read("When it happened; null if unknown.")
    category: str | None = read("The category, such as http; null if not sent.")
    type: str | None = read("The type; null if not sent.")
    level: str | None = read("The level; null if not sent.")
    message: str | None = read("What happened; null if not sent.")
    data: Json | None = read("Further data; null if not sent.")

    is_type_of = instances_of(error_bodies.Breadcrumb)


@strawberry.type(description="A tag of an occurrence.")
class ErrorTag:
    name: str = read("The name.")
    value: str = read("The value.")

    is_type_of = instances_of(error_bodies.Tag)


@strawberry.type(description="What an SDK sent about an occurrence, without its secrets.")
class ErrorBody:
    message: str | None = read("The message; null if it has none.")
    exceptions: list[ErrorException] = read("The chain of exceptions, the root cause first.")
    frames: list[ErrorFrame] = read("The calls that belong to no exception, innermost last.")
    stack_trace: str | None = read("All exceptions and calls as text; null if there are none.")
    breadcrumbs: list[ErrorBreadcrumb] = read("What happened before, oldest first.")
    tags: list[ErrorTag] = read("The tags.")
    logger: str | None = read("The logger; null if not sent.")
    server_name: str | None = read("The server; null if not sent.")
    contexts: Json | None = read("Contexts, such as the browser and the device; null if none.")
    request: Json | None = read("The HTTP request; null if not sent.")
    user: Json | None = read("What is left of the user after scrubbing; null if nothing.")
    extra: Json | None = read("Further data; null if not sent.")
    sdk: Json | None = read("The SDK; null if not sent.")
    modules: Json | None = read("The versions of packages; null if not sent.")

    is_type_of = instances_of(error_bodies.Body)


_NONE_SENT = "null if none was sent or the project has too many."


@strawberry.type(description="An occurrence of an error.")
class ErrorOccurrence(Node):
    event_id: UUID = read("The event's UUID.")
    external_id: str | None = read("The id as sent; null if it is the UUID or none was sent.")
    occurred_at: datetime = read("When it occurred.")
    error_type: str | None = read(f"The type of the error; {_NONE_SENT}")
    severity: Any = typed(SEVERITY | None, "How bad it is; null if unknown.")
    environment: Environment | None = read(f"The environment; {_NONE_SENT}")
    release: str | None = read("The release; null if unknown.")
    network_name: str | None = read("The network's name, known or not; null if none is known.")
    template_slug: str | None = read("The template's slug, known or not; null if none is known.")
    function_name: str | None = read("The function's name; null if not sent.")

    project = link(project_of, Annotated["Project", strawberry.lazy(".projects")], "The project.")
    error = link(
        resolvers.error,
        Annotated["Error", strawberry.lazy(".errors")] | None,
        "The error it is part of; null on error.",
    )
    network = link(resolvers.network, Network | None, "The network; null if none or unknown.")
    template = link(resolvers.template, Template | None, "The template; null if none or unknown.")
    function = link(
        resolvers.function,
        Function | None,
        "The function; null if none, or if none was invoked.",
        facts=(INVOCATIONS.name,),
    )
    deployment = link(
        resolvers.deployment,
        Deployment | None,
        "The deployment that was live; null if unknown.",
        facts=(DEPLOYMENTS.name,),
        of_entity=True,
    )
    body = link(
        resolvers.body,
        ErrorBody | None,
        "What was sent about it; null unless it was kept: of each error, the first occurrences of "
        "a day, a sample of the others, and the latest one.",
    )

    log_lines = log_lines_field(
        log_links.of_occurrence,
        "of the same trace, or if it has none, of the same deployment or environment within "
        f"{log_links.BEFORE.seconds} seconds before it",
        weight=2 * STATEMENT,
    )

    is_type_of = instances_of(resolvers.ErrorOccurrence)


@strawberry.type
class OccurrenceQueries:
    @field(
        Permission.READ,
        "The occurrences of errors you can see, newest first; null on error.",
        kept=True,
        facts=(ERROR_OCCURRENCES.name,),
    )
    async def error_occurrences(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        filter: filter_argument(ERROR_OCCURRENCES) = None,  # type: ignore[valid-type]
        search: SearchArgument = None,
        range: Annotated[
            TimeRange | None,
            strawberry.argument("Only those in it; all that are stored by default."),
        ] = None,
        time_zone: ZoneArgument = UTC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ErrorOccurrence] | None:
        span = None if range is None else to_range(info.context, range, time_zone)
        wanted = lists.Wanted(NEWEST, filter_names(filter), range=span)
        page = page_arguments(info, first, after, last, before)
        return await resolvers.occurrences(info.context, wanted, search, page)  # type: ignore[return-value]
