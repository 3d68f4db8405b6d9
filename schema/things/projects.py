"""The type of projects, which own deployments."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from access.viewers import Permission
from resolvers import alerts, entities, entity_fields, first_steps, kept_panels, members, names
from resolvers import provisioned as resolvers
from resolvers.entity_fields import MAX_LATEST
from resolvers.pages import MAX_PAGE_SIZE
from schema.declarations import EVERY_FACT, HALF_STATEMENT, STATEMENT, UNCACHED, costs, field
from schema.figures.fields import with_statistics
from schema.info import Info
from schema.lists.links import links
from schema.nodes import Node, instances_of
from schema.selection import look_ahead
from schema.things.deployments import Deployment
from schema.things.environments import Environment
from schema.things.error_links import errors_field
from schema.things.first_steps import FirstSteps
from schema.things.kept_panels import KeptPanel
from schema.things.members import Member
from storage.alerts.changes import ALERTS
from storage.dimensions import PROJECT
from storage.facts.deployments import DEPLOYMENTS
from storage.kept_panels import PANELS_AT_MOST
from storage.queries.errors.related import NEWEST_OF_PROJECT

if TYPE_CHECKING:
    from schema.things.alerts import Alert

Root = strawberry.Parent[resolvers.Project]


@strawberry.type(description="A project, to which deployments belong and tokens give access.")
@with_statistics({PROJECT: "project_id"})
class Project(Node):
    slug: str = strawberry.field(description="The slug, unique on the platform.")
    name: str = strawberry.field(description="The name for people.")
    created_at: datetime = strawberry.field(description="When the gateway first stored it.")

    @strawberry.field(
        description="The environments, by name; null on error.",
        metadata=costs(weight=HALF_STATEMENT, facts=EVERY_FACT),
    )
    async def environments(self, parent: Root, info: Info) -> list[Environment] | None:
        return await names.names_of_project(info.context, names.Environment, parent)  # type: ignore[return-value]

    @strawberry.field(
        description="The newest deployments; null on error.",
        metadata=costs(weight=HALF_STATEMENT, facts=(DEPLOYMENTS.name,)),
    )
    async def latest_deployments(
        self,
        parent: Root,
        info: Info,
        first: Annotated[
            int, strawberry.argument(f"The number of them, at most {MAX_LATEST}.")
        ] = 5,
    ) -> list[Deployment] | None:
        wanted = look_ahead(info, links)
        return await entity_fields.latest_entities(  # type: ignore[return-value]
            info.context, entities.Deployment, parent, first, wanted
        )

    @strawberry.field(
        description="How to send the first event, and whether it has arrived; null on error. Needs "
        "the role maintainer or admin, or ingest beside viewer.",
        metadata=costs(weight=2 * STATEMENT, facts=UNCACHED),
    )
    async def first_steps(self, parent: Root, info: Info) -> FirstSteps | None:
        return await first_steps.first_steps(info.context, parent)  # type: ignore[return-value]

    @strawberry.field(
        description="The panels that are kept in its page, in their order; null on error.",
        metadata=costs(weight=HALF_STATEMENT, items=PANELS_AT_MOST),
    )
    async def panels(self, parent: Root, info: Info) -> list[KeptPanel] | None:
        return await kept_panels.panels_of_project(info.context, parent)  # type: ignore[return-value]

    @field(
        Permission.MANAGE,
        "The members, by subject; null on error.",
        facts=(),
        weight=HALF_STATEMENT,
        items=20,
    )
    async def members(self, parent: Root, info: Info) -> list[Member] | None:
        return await members.members_of_project(info.context, parent)  # type: ignore[return-value]

    @strawberry.field(
        description="The alerts of the project, those that fire first; null on error. `alerts` "
        "has pages of them.",
        metadata=costs(weight=HALF_STATEMENT, facts=(ALERTS,)),
    )
    async def alerts(
        self,
        parent: Root,
        info: Info,
        first: Annotated[
            int, strawberry.argument(f"The number of them, at most {MAX_PAGE_SIZE}.")
        ] = 10,
    ) -> list[Annotated["Alert", strawberry.lazy(".alerts")]] | None:
        return await alerts.alerts_of_project(info.context, parent, first)  # type: ignore[return-value]

    errors = errors_field(NEWEST_OF_PROJECT, lambda parent: (parent.project_id,), "of the project")

    is_type_of = instances_of(resolvers.Project)
