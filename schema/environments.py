"""Environments as clients see them."""

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers import environments as resolvers
from resolvers.subjects import FilterNames
from schema.info import Info
from schema.nodes import Node
from schema.ranges import UTC, RangeArgument, ZoneArgument, to_range
from schema.statistics import DeploymentStats, load_names

if TYPE_CHECKING:
    from schema.projects import Project

Root = strawberry.Parent[resolvers.Environment]


@strawberry.type(description="A named place of a project, such as production.")
class Environment(Node):
    name: str = strawberry.field(description="Its name, unique in the project.")

    @strawberry.field(description="The project it belongs to.")
    async def project(
        self, parent: Root, info: Info
    ) -> Annotated["Project", strawberry.lazy("schema.projects")]:
        return await resolvers.project_of_environment(info.context, parent)  # type: ignore[return-value]

    @strawberry.field(description="Figures about its deployments; share is of the project's.")
    async def deployment_stats(
        self, parent: Root, info: Info, range: RangeArgument = None, time_zone: ZoneArgument = UTC
    ) -> DeploymentStats:
        span = to_range(info.context, range, time_zone)
        project = await resolvers.project_of_environment(info.context, parent)
        names = FilterNames(projects=(project.slug,), environments=(parent.name,))
        whole = FilterNames(projects=(project.slug,))
        return await load_names(info, names, span, time_zone, whole)

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return isinstance(value, resolvers.Environment)
