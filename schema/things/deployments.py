"""Deployments as clients see them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from resolvers import deployments as resolvers
from resolvers.deployments import MAX_STATUS_EVENTS, Links
from schema.enums import DeploymentEventType, DeploymentStatus
from schema.nodes import Node, made_of
from schema.scalars import Json
from schema.selection import Selected, Selection
from schema.things.templates import NAME_FIELDS, Template

if TYPE_CHECKING:
    from schema.things.environments import Environment
    from schema.things.networks import Network
    from schema.things.projects import Project

DEFAULT_STATUS_EVENTS = 10


@strawberry.type(description="A report about a deployment.")
class StatusEvent:
    id: strawberry.ID = strawberry.field(description="The event's UUID.")
    external_id: str | None = strawberry.field(
        description="The event's id as it was sent; null when it came without one."
    )
    type: DeploymentEventType = strawberry.field(description="What it reports.")
    status: DeploymentStatus = strawberry.field(description="Where the deployment then stood.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    actor: str | None = strawberry.field(description="Who caused it; null when not told.")
    duration_ms: float | None = strawberry.field(
        description="How long it took, in milliseconds; null when not told."
    )
    error: str | None = strawberry.field(description="What went wrong; null when nothing did.")
    to_deployment: str | None = strawberry.field(
        description="For a rollback, the deployment that is live again; null when not told."
    )
    source: str | None = strawberry.field(
        description="The system that reported it; null when not told."
    )


@strawberry.type(description="Something that was put, or was to be put, into an environment.")
class Deployment(Node):
    deployment_id: UUID = strawberry.field(
        description="Its UUID, as sent or derived from the external id."
    )
    external_id: str | None = strawberry.field(
        description="Its id as it was sent; null when that is not known."
    )
    status: DeploymentStatus = strawberry.field(description="Where it stands.")
    created_at: datetime = strawberry.field(description="When its first event happened.")
    started_at: datetime | None = strawberry.field(
        description="When work on it began; null when that was not reported."
    )
    finished_at: datetime | None = strawberry.field(
        description="When it succeeded, failed or was cancelled; null while it has not."
    )
    duration_ms: float | None = strawberry.field(
        description="From start to finish, in milliseconds; null when not known."
    )
    rolled_back_at: datetime | None = strawberry.field(
        description="When it was taken back; null when it was not."
    )
    actor: str | None = strawberry.field(description="Who started it; null when not told.")
    to_deployment: str | None = strawberry.field(
        description="After a rollback, the deployment that is live again; null when not told."
    )
    error: str | None = strawberry.field(description="Why it failed; null when it did not.")
    attributes: Json | None = strawberry.field(
        description="Whatever else was sent with it: a JSON object; null when nothing was."
    )
    environment_name: str | None = strawberry.field(
        description="The environment's name as it was sent; null when none was."
    )
    network_name: str | None = strawberry.field(
        description="The network's name as it was sent, known or not; null when none was."
    )
    template_slug: str | None = strawberry.field(
        description="The template's slug as it was sent, known or not; null when none was."
    )
    framework: str | None = strawberry.field(
        description="The framework's name as it was sent; null when none was."
    )
    project: Annotated["Project", strawberry.lazy(".projects")] = strawberry.field(
        description="The project it belongs to."
    )
    environment: Annotated["Environment", strawberry.lazy(".environments")] | None = (
        strawberry.field(
            description="The environment; null when none was sent or the project has too many."
        )
    )
    network: Annotated["Network", strawberry.lazy(".networks")] | None = strawberry.field(
        description="The network; null when none was sent or it is not known."
    )
    template: Template | None = strawberry.field(
        description="The template; null when none was sent or it is not known."
    )

    @strawberry.field(
        description="Its history, the latest report first.",
        metadata={"pure": resolvers.status_events},  # of the deployment and the argument alone
    )
    def status_events(
        self,
        parent: strawberry.Parent[resolvers.Deployment],
        first: Annotated[
            int,
            strawberry.argument(description=f"How many reports, at most {MAX_STATUS_EVENTS}."),
        ] = DEFAULT_STATUS_EVENTS,
    ) -> list[StatusEvent]:
        return resolvers.status_events(parent, first)  # type: ignore[return-value]

    is_type_of = made_of(resolvers.Deployment)


def links(selection: Selection, fields: list[Selected]) -> Links:
    """What of a deployment and its surroundings these fields need."""
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
        # The field itself refuses what is out of bounds.
        status_events=min(max(wanted, default=0), MAX_STATUS_EVENTS),
    )
