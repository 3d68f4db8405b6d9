"""The type of environments, which belong to projects."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from analytics.slices import Filter
from resolvers import environments as resolvers
from schema.info import Info
from schema.nodes import Node, instances_of
from schema.things.statistics import statistics_field

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

    deployment_stats = statistics_field(
        "Figures about its deployments; `share` is their part of the project's.",
        lambda environment: Filter(
            (environment.project_id,), environments=(environment.environment_id,)
        ),
        whole_of=lambda environment: Filter((environment.project_id,)),
    )

    is_type_of = instances_of(resolvers.Environment)
