"""The types of environments and of other names that belong to projects."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import names as resolvers
from resolvers.provisioned import project_of
from schema.figures.fields import with_statistics
from schema.info import Info
from schema.nodes import Node, instances_of
from storage.dimensions import ENVIRONMENT, PROJECT

if TYPE_CHECKING:
    from schema.things.projects import Project

Root = strawberry.Parent[resolvers.NameInProject]


@strawberry.type
class NodeInProject(Node):
    name: str = strawberry.field(description="The name, unique in the project.")

    @strawberry.field(description="The project.")
    async def project(
        self, parent: Root, info: Info
    ) -> Annotated["Project", strawberry.lazy(".projects")]:
        return await project_of(info.context, parent)  # type: ignore[return-value]


@strawberry.type(description="An environment of a project, such as production.")
@with_statistics({PROJECT: "project_id", ENVIRONMENT: "number"})
class Environment(NodeInProject):
    is_type_of = instances_of(resolvers.Environment)
