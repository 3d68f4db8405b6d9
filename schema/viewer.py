"""The viewer as clients see them."""

from enum import Enum

import strawberry

from access import viewers
from access.viewers import Permission
from resolvers import projects
from schema.declarations import field
from schema.figures.ranges import UTC, RangeArgument, ZoneArgument
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page, selects_total
from schema.selection import look_ahead
from schema.things.projects import Project
from schema.things.statistics import DeploymentStats, FilterArgument, load_named


@strawberry.enum(description="What the holder of a token may do.")
class Role(Enum):
    VIEWER = strawberry.enum_value(viewers.Role.VIEWER, description="See the projects named.")
    MAINTAINER = strawberry.enum_value(
        viewers.Role.MAINTAINER, description="See the projects named and keep them in order."
    )
    INGEST = strawberry.enum_value(
        viewers.Role.INGEST, description="Record events of the projects named, and see nothing."
    )
    ADMIN = strawberry.enum_value(
        viewers.Role.ADMIN, description="See, record and provision everything."
    )


@strawberry.type(description="The holder of the token in use.")
class Viewer:
    subject: str = strawberry.field(description="Who it was given to.")
    roles: list[Role] = strawberry.field(description="What they may do.")

    @classmethod
    def of(cls, viewer: viewers.Viewer) -> "Viewer":
        return cls(subject=viewer.subject, roles=[Role(role) for role in sorted(viewer.roles)])

    @field(Permission.READ, "The projects they can see, by slug.")
    async def projects(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Project]:
        where = page(first, after, last, before)
        return await projects.projects(info.context, where, look_ahead(info, selects_total), None)  # type: ignore[return-value]

    @field(Permission.READ, "Figures about the deployments of all their projects.")
    async def deployment_stats(
        self,
        info: Info,
        filter: FilterArgument = None,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
    ) -> DeploymentStats:
        return await load_named(info, filter, range, time_zone)
