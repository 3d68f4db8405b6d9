"""Builds, their phases and their status events."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from ingest.wire import WIRES
from resolvers import entities as resolvers
from resolvers import entity_fields
from resolvers.events import BuildPhase as PhaseRow
from schema.declarations import HALF_STATEMENT, costs, typed
from schema.enums import choice_enum, event_type_enum, status_enum
from schema.info import Info
from schema.nodes import instances_of
from schema.things.entities import OfTemplate, StatusEvent, status_events_field
from schema.things.given import given
from storage.facts.build_phases import BUILD_PHASES
from storage.facts.builds import BUILDS
from storage.facts.deployments import DEPLOYMENTS

if TYPE_CHECKING:
    from schema.things.deployments import Deployment


@strawberry.type(description="An event of a build.")
class BuildEvent(StatusEvent):
    type: Any = typed(event_type_enum(BUILDS), "What happened.")
    status: Any = typed(status_enum(BUILDS), "The status it gave the build.")


@strawberry.type(description="A phase of a build, such as install.")
class BuildPhase:
    name: str | None = strawberry.field(description="The name; null if there are too many.")
    status: Any = typed(choice_enum(WIRES[BUILD_PHASES.name], "status"), "How it ended.")
    started_at: datetime | None = strawberry.field(
        description="When it started; null if its duration is unknown."
    )
    finished_at: datetime = strawberry.field(description="When it ended.")
    duration_ms: float | None = strawberry.field(
        description="The duration, in milliseconds; null if unknown."
    )

    is_type_of = instances_of(PhaseRow)


@strawberry.type(description="A build of a project.")
class Build(OfTemplate):
    build_id: UUID = strawberry.field(
        description="The UUID, as sent or derived from the external id."
    )
    status: Any = typed(status_enum(BUILDS), "The status.")
    branch: Any = given(BUILDS, "branch")
    commit: Any = given(BUILDS, "commit")
    asset_count: Any = given(BUILDS, "asset_count")
    total_bytes: Any = given(BUILDS, "total_bytes")
    cpu_ms: Any = given(BUILDS, "cpu_ms")
    memory_bytes: Any = given(BUILDS, "memory_bytes")
    deployment: Annotated["Deployment", strawberry.lazy(".deployments")] | None = strawberry.field(
        description="The deployment it is for; null if not sent or unknown.",
        metadata=costs(facts=(DEPLOYMENTS.name,)),
    )
    deployment_external_id: str | None = strawberry.field(
        description="The id of that deployment as sent; null if none was."
    )
    status_events: list[BuildEvent] | None = status_events_field(BuildEvent)

    @strawberry.field(
        description="The phases, in the order in which they ended; null on error.",
        metadata=costs(weight=HALF_STATEMENT, facts=(BUILD_PHASES.name,)),
    )
    async def phases(
        self, parent: strawberry.Parent[resolvers.Build], info: Info
    ) -> list[BuildPhase] | None:
        return await entity_fields.phases_of_build(info.context, parent)  # type: ignore[return-value]

    is_type_of = instances_of(resolvers.Build)
