"""Deployments and their status events."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from resolvers import entities as resolvers
from resolvers import entity_fields, log_links
from schema.declarations import HALF_STATEMENT, costs, typed
from schema.enums import event_type_enum, status_enum
from schema.info import Info
from schema.lists.links import links
from schema.nodes import instances_of
from schema.selection import look_ahead
from schema.things.builds import Build
from schema.things.entities import OfTemplate, StatusEvent, status_events_field
from schema.things.error_links import errors_field
from schema.things.given import given
from schema.things.log_links import log_lines_field
from schema.things.verdicts import (
    FACTS,
    VERDICT_WEIGHT,
    DeploymentVerdict,
    WindowArgument,
    verdict_of,
)
from storage.error_groups.tables import Facet
from storage.facts.builds import BUILDS
from storage.facts.deployments import DEPLOYMENTS
from storage.queries.errors.related import newest_of_facet

if TYPE_CHECKING:
    from schema.things.networks import Network


@strawberry.type(description="An event of a deployment.")
class DeploymentEvent(StatusEvent):
    type: Any = typed(event_type_enum(DEPLOYMENTS), "What happened.")
    status: Any = typed(status_enum(DEPLOYMENTS), "The status it gave the deployment.")
    actor: Any = given(DEPLOYMENTS, "actor")
    to_deployment: Any = given(DEPLOYMENTS, "to_deployment")


@strawberry.type(description="A deployment of a project to an environment.")
class Deployment(OfTemplate):
    deployment_id: UUID = strawberry.field(
        description="The UUID, as sent or derived from the external id."
    )
    status: Any = typed(status_enum(DEPLOYMENTS), "The status.")
    rolled_back_at: datetime | None = strawberry.field(
        description="When it was rolled back; null if it was not."
    )
    rolled_back_to: Annotated["Deployment", strawberry.lazy(".deployments")] | None = (
        strawberry.field(
            description="After a rollback, the deployment that is live again; null if not sent or "
            "unknown."
        )
    )
    rolled_back_to_id: str | None = strawberry.field(
        description="The id of that deployment as sent; null if none was."
    )
    actor: Any = given(DEPLOYMENTS, "actor")
    release: Any = given(DEPLOYMENTS, "release")
    commit: Any = given(DEPLOYMENTS, "commit")
    repository: Any = given(DEPLOYMENTS, "repository")
    network_name: str | None = strawberry.field(
        description="The network's name as sent, known or not; null if none was."
    )
    network: Annotated["Network", strawberry.lazy(".networks")] | None = strawberry.field(
        description="The network; null if none was sent or it is unknown."
    )
    status_events: list[DeploymentEvent] | None = status_events_field(DeploymentEvent)

    @strawberry.field(
        description="The builds that name it, newest first, at most "
        f"{entity_fields.BUILDS_AT_MOST}; null on error.",
        metadata=costs(weight=HALF_STATEMENT, facts=(BUILDS.name,)),
    )
    async def builds(
        self, parent: strawberry.Parent[resolvers.Deployment], info: Info
    ) -> list[Build] | None:
        wanted = look_ahead(info, links)
        return await entity_fields.builds_of_deployment(info.context, parent, wanted)  # type: ignore[return-value]

    @strawberry.field(
        description="Whether errors, function failures, API errors or latency became worse in the "
        "time after it; null on error.",
        metadata=costs(weight=VERDICT_WEIGHT, facts=FACTS),
    )
    async def verdict(
        self,
        parent: strawberry.Parent[resolvers.Deployment],
        info: Info,
        window: WindowArgument = None,
    ) -> DeploymentVerdict | None:
        return await verdict_of(info, parent, window)

    errors = errors_field(
        newest_of_facet(Facet.DEPLOYMENT),
        lambda parent: (parent.row["project_id"], str(parent.row["deployment_id"])),
        "that occurred while it was live",
    )
    log_lines = log_lines_field(log_links.of_deployment, "that name it, or its release")

    is_type_of = instances_of(resolvers.Deployment)
