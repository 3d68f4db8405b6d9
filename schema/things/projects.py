"""The type of projects, which own deployments."""

from datetime import datetime
from typing import Annotated

import strawberry

from analytics.slices import Filter
from resolvers import deployments, environments
from resolvers import projects as resolvers
from resolvers.deployments import MAX_LATEST
from schema.declarations import HALF_STATEMENT, costs
from schema.info import Info
from schema.nodes import Node, instances_of
from schema.selection import look_ahead
from schema.things.deployments import Deployment, links
from schema.things.environments import Environment
from schema.things.statistics import statistics_field

Root = strawberry.Parent[resolvers.Project]


@strawberry.type(description="A project, to which deployments belong and tokens give access.")
class Project(Node):
    slug: str = strawberry.field(description="The slug, unique on the platform.")
    name: str = strawberry.field(description="The name for people.")
    created_at: datetime = strawberry.field(description="When the gateway first stored it.")

    @strawberry.field(
        description="The environments, by name.", metadata=costs(weight=HALF_STATEMENT)
    )
    async def environments(self, parent: Root, info: Info) -> list[Environment]:
        return await environments.environments_of_project(info.context, parent)  # type: ignore[return-value]

    @strawberry.field(description="The newest deployments.", metadata=costs(weight=HALF_STATEMENT))
    async def latest_deployments(
        self,
        parent: Root,
        info: Info,
        first: Annotated[
            int, strawberry.argument(f"The number of them, at most {MAX_LATEST}.")
        ] = 5,
    ) -> list[Deployment]:
        wanted = look_ahead(info, links)
        return await deployments.latest_deployments(info.context, parent, first, wanted)  # type: ignore[return-value]

    deployment_stats = statistics_field(
        "Figures about its deployments; `share` is their part of all you can see.",
        lambda project: Filter.of(projects=[project.project_id]),
    )

    is_type_of = instances_of(resolvers.Project)
