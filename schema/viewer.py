"""The viewer: the holder of the token in use."""

import strawberry

from access.viewers import Permission
from resolvers import provisioned
from schema.declarations import field
from schema.enums import Role
from schema.figures.fields import FigureQueries
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.things.projects import Project


@strawberry.type(description="The holder of the token in use.")
class Viewer(FigureQueries):
    subject: str = strawberry.field(description="The subject of the token.")
    roles: list[Role] = strawberry.field(description="The roles of the token.")

    @field(Permission.READ, "The projects you can see, by slug; null on error.", facts=())
    async def projects(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Project] | None:
        page = page_arguments(info, first, after, last, before)
        return await provisioned.projects(info.context, page, None)  # type: ignore[return-value]
