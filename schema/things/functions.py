"""Functions and endpoints, their calls, and the invocations that run now."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from ingest.wire import WIRES
from resolvers import events, log_links, names, running
from resolvers.pages import MAX_PAGE_SIZE
from resolvers.provisioned import project_of
from schema.declarations import HALF_STATEMENT, costs, typed
from schema.enums import choice_enum
from schema.figures.fields import with_statistics
from schema.info import Info
from schema.nodes import instances_of
from schema.things.environments import Environment, NodeInProject, Root
from schema.things.error_links import errors_field
from schema.things.event_rows import NO_NAME, Reported
from schema.things.given import given
from schema.things.log_links import log_lines_field
from storage.dimensions import ENDPOINT, FUNCTION, PROJECT
from storage.error_groups.tables import Facet
from storage.facts.api_calls import API_CALLS
from storage.facts.invocations import INVOCATIONS
from storage.facts.model_calls import MODEL_CALLS
from storage.queries.errors.related import newest_of_facet

if TYPE_CHECKING:
    from schema.things.projects import Project

_CALLS = (INVOCATIONS.name, API_CALLS.name, MODEL_CALLS.name)
_COSTS = costs(weight=HALF_STATEMENT, facts=_CALLS)


@strawberry.type
class Called(NodeInProject):
    @strawberry.field(description="The time of the first call; null if unknown.", metadata=_COSTS)
    async def first_called_at(self, parent: Root, info: Info) -> datetime | None:
        times = await names.seen(info.context, parent)
        return times and times[0]

    @strawberry.field(description="The time of the latest call; null if unknown.", metadata=_COSTS)
    async def last_called_at(self, parent: Root, info: Info) -> datetime | None:
        times = await names.seen(info.context, parent)
        return times and times[1]


@strawberry.type(description="A function of a project.")
@with_statistics({PROJECT: "project_id", FUNCTION: "number"})
class Function(Called):
    @strawberry.field(
        description="How many of its invocations run now; null on error.", metadata=_COSTS
    )
    async def running(self, parent: Root, info: Info) -> int | None:
        return await running.running(info.context, parent)

    errors = errors_field(
        newest_of_facet(Facet.FUNCTION),
        lambda parent: (parent.project_id, parent.name),
        "that occurred in it",
    )
    log_lines = log_lines_field(log_links.of_function, "that it wrote")

    is_type_of = instances_of(names.Function)


@strawberry.type(description="An endpoint of a project's API: a route template.")
@with_statistics({PROJECT: "project_id", ENDPOINT: "number"})
class Endpoint(Called):
    is_type_of = instances_of(names.Endpoint)


@strawberry.type
class CallRow(Reported):
    duration_ms: float | None = strawberry.field(
        description="The duration, in milliseconds; null if unknown."
    )


@strawberry.type(description="A completed invocation of a function.")
class FunctionInvocation(CallRow):
    function: Function | None = strawberry.field(description=f"The function; {NO_NAME}")
    status: Any = typed(choice_enum(WIRES[INVOCATIONS.name], "status"), "How it ended.")
    started_at: datetime | None = strawberry.field(
        description="When it started; null if its duration is unknown."
    )
    runtime: str | None = strawberry.field(description=f"The runtime; {NO_NAME}")
    region: str | None = strawberry.field(description=f"The region; {NO_NAME}")
    cold_start: bool = strawberry.field(description="True if it had to start the runtime first.")
    init_ms: Any = given(INVOCATIONS, "init_ms")
    memory_bytes: Any = given(INVOCATIONS, "memory_bytes")
    error: str | None = strawberry.field(description="Why it failed; null if it did not.")

    is_type_of = instances_of(events.FunctionInvocation)


@strawberry.type(description="A response of an API.")
class ApiCall(CallRow):
    endpoint: Endpoint | None = strawberry.field(description=f"The endpoint; {NO_NAME}")
    method: str | None = strawberry.field(description=f"The method; {NO_NAME}")
    status: int = strawberry.field(description="The status code, from 100 to 599.")
    user: Any = given(API_CALLS, "user")
    response_bytes: Any = given(API_CALLS, "response_bytes")

    is_type_of = instances_of(events.ApiCall)


RunningFirst = Annotated[int, strawberry.argument(f"The number of them, at most {MAX_PAGE_SIZE}.")]


@strawberry.type(description="An invocation of a function that has started and not ended.")
class RunningInvocation:
    id: UUID = strawberry.field(description="The UUID of the invocation.")
    external_id: str | None = strawberry.field(description="The id as sent; null if unknown.")
    function: Function | None = strawberry.field(description=f"The function; {NO_NAME}")
    environment: Environment | None = strawberry.field(description=f"The environment; {NO_NAME}")
    started_at: datetime = strawberry.field(description="When it started.")

    @strawberry.field(description="The project.")
    async def project(
        self, parent: strawberry.Parent[running.RunningInvocation], info: Info
    ) -> Annotated["Project", strawberry.lazy(".projects")]:
        return await project_of(info.context, parent)  # type: ignore[return-value]

    is_type_of = instances_of(running.RunningInvocation)
