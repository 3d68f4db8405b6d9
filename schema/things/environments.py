"""Environments."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import strawberry

from analytics.slices import Filter
from resolvers import environments as resolvers
from schema.figures.ranges import UTC, RangeArgument, ZoneArgument
from schema.info import Info
from schema.nodes import Node, instances_of
from schema.things.statistics import DeploymentStats, load_known

if TYPE_CHECKING:
    from schema.things.projects import Project

Root = strawberry.Parent[resolvers.Environment]


@strawberry.type(description="An environment of a project, such as production.")
class Environment(Node):
    name: str = strawberry.field(description="The name, unique in the project.")

    @strawberry.field(description="The project.")
    async def project(
        self, parent: Root, info: Info
    ) -> Annotated["Project", strawberry.lazy(".projects")]:
        return await resolvers.project_of_environment(info.context, parent)  # type: ignore[return-value]

    @strawberry.field(description="Figures about its deployments; `share` is of the project's.")
    async def deployment_stats(
        self, parent: Root, info: Info, range: RangeArgument = None, time_zone: ZoneArgument = UTC
    ) -> DeploymentStats:
        project = Filter.of(projects=[parent.project_id])
        filter = replace(project, environments=(parent.environment_id,))
        return await load_known(info, filter, range, time_zone, whole=project)

    is_type_of = instances_of(resolvers.Environment)
