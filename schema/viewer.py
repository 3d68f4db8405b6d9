"""The viewer: the holder of the token in use."""

import strawberry

from access.viewers import Permission
from resolvers import projects
from schema.declarations import field
from schema.enums import Role
from schema.figures.filters import FilterArgument
from schema.figures.ranges import UTC, RangeArgument, ZoneArgument
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.things.projects import Project
from schema.things.statistics import DeploymentStats, load_named


@strawberry.type(description="The holder of the token in use.")
class Viewer:
    subject: str = strawberry.field(description="The subject of the token.")
    roles: list[Role] = strawberry.field(description="The roles of the token.")

    @field(Permission.READ, "The projects you can see, by slug.")
    async def projects(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Project]:
        page = page_arguments(info, first, after, last, before)
        return await projects.projects(info.context, page, None)  # type: ignore[return-value]

    @field(Permission.READ, "Figures about the deployments you can see.")
    async def deployment_stats(
        self,
        info: Info,
        filter: FilterArgument = None,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
    ) -> DeploymentStats:
        return await load_named(info, filter, range, time_zone)
