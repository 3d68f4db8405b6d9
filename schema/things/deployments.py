"""Deployments and their status events."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from resolvers import deployments as resolvers
from resolvers.deployments import MAX_STATUS_EVENTS, Links
from schema.enums import DeploymentEventType, DeploymentStatus
from schema.nodes import Node, instances_of
from schema.scalars import Json
from schema.selection import Selected, Selection
from schema.things.templates import NAME_FIELDS, Template

if TYPE_CHECKING:
    from schema.things.environments import Environment
    from schema.things.networks import Network
    from schema.things.projects import Project

DEFAULT_STATUS_EVENTS = 10


@strawberry.type(description="An event of a deployment.")
class StatusEvent:
    id: strawberry.ID = strawberry.field(description="The event's UUID.")
    external_id: str | None = strawberry.field(
        description="The event's id as sent; null if none was sent."
    )
    type: DeploymentEventType = strawberry.field(description="What happened.")
    status: DeploymentStatus = strawberry.field(description="The status it gave the deployment.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    actor: str | None = strawberry.field(description="Who caused it; null if not sent.")
    duration_ms: float | None = strawberry.field(
        description="The duration, in milliseconds; null if not sent."
    )
    error: str | None = strawberry.field(description="Why it failed; null if it did not.")
    to_deployment: str | None = strawberry.field(
        description="For a rollback, the deployment that is live again; null if not sent."
    )
    source: str | None = strawberry.field(
        description="The system that reported it; null if not sent."
    )


@strawberry.type(description="A deployment of a project to an environment.")
class Deployment(Node):
    deployment_id: UUID = strawberry.field(
        description="The UUID, as sent or derived from the external id."
    )
    external_id: str | None = strawberry.field(description="The id as sent; null if unknown.")
    status: DeploymentStatus = strawberry.field(description="The status.")
    created_at: datetime = strawberry.field(description="When its first event happened.")
    started_at: datetime | None = strawberry.field(
        description="When it started; null if not reported."
    )
    finished_at: datetime | None = strawberry.field(
        description="When it succeeded, failed or was cancelled; null until then."
    )
    duration_ms: float | None = strawberry.field(
        description="The time from start to finish, in milliseconds; null if unknown."
    )
    rolled_back_at: datetime | None = strawberry.field(
        description="When it was rolled back; null if it was not."
    )
    actor: str | None = strawberry.field(description="Who started it; null if not sent.")
    to_deployment: str | None = strawberry.field(
        description="After a rollback, the deployment that is live again; null if not sent."
    )
    error: str | None = strawberry.field(description="Why it failed; null if it did not.")
    attributes: Json | None = strawberry.field(
        description="Further data sent with it: a JSON object; null if none was."
    )
    environment_name: str | None = strawberry.field(
        description="The environment's name as sent; null if none was."
    )
    network_name: str | None = strawberry.field(
        description="The network's name as sent, known or not; null if none was."
    )
    template_slug: str | None = strawberry.field(
        description="The template's slug as sent, known or not; null if none was."
    )
    framework: str | None = strawberry.field(
        description="The framework's name as sent; null if none was."
    )
    project: Annotated["Project", strawberry.lazy(".projects")] = strawberry.field(
        description="The project."
    )
    environment: Annotated["Environment", strawberry.lazy(".environments")] | None = (
        strawberry.field(
            description="The environment; null if none was sent or the project has too many."
        )
    )
    network: Annotated["Network", strawberry.lazy(".networks")] | None = strawberry.field(
        description="The network; null if none was sent or it is unknown."
    )
    template: Template | None = strawberry.field(
        description="The template; null if none was sent or it is unknown."
    )

    @strawberry.field(
        description="The events, newest first.",
        metadata={"pure": resolvers.status_events},  # a function of the deployment and the argument
    )
    def status_events(
        self,
        parent: strawberry.Parent[resolvers.Deployment],
        first: Annotated[
            int, strawberry.argument(f"The number of events, at most {MAX_STATUS_EVENTS}.")
        ] = DEFAULT_STATUS_EVENTS,
    ) -> list[StatusEvent]:
        return resolvers.status_events(parent, first)  # type: ignore[return-value]

    is_type_of = instances_of(resolvers.Deployment)


def links(selection: Selection, fields: list[Selected]) -> Links:
    """The parts of a deployment that these fields need."""
    names = {field.name for field in fields}
    of_template = {field.name for field in selection.below(fields, "template")}
    wanted = [
        field.arguments.get("first", DEFAULT_STATUS_EVENTS)
        for field in fields
        if field.name == "statusEvents"
    ]
    return Links(
        attributes="attributes" in names,
        error="error" in names,
        project="project" in names,
        environment="environment" in names,
        network="network" in names,
        template="template" in names,
        template_details=not of_template <= NAME_FIELDS,
        # The field itself refuses a number out of bounds.
        status_events=min(max(wanted, default=0), MAX_STATUS_EVENTS),
    )


def links_of_deployment(selection: Selection, fields: list[Selected]) -> Links:
    """The parts that are needed of the deployment in the field `deployment`."""
    return links(selection, selection.below(fields, "deployment"))
