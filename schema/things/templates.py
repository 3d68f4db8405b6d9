"""Templates."""

from datetime import datetime

import strawberry

from analytics.slices import Filter
from resolvers import templates as resolvers
from schema.declarations import TYPE_NAME
from schema.figures.ranges import UTC, RangeArgument, ZoneArgument
from schema.info import Info
from schema.nodes import Node, instances_of
from schema.things.statistics import DeploymentStats, load_known

# Fields that need nothing of a template but its name.
NAME_FIELDS = frozenset({TYPE_NAME, "id", "slug", "name", "deploymentStats"})

Root = strawberry.Parent[resolvers.Template]


@strawberry.type(description="A ready-made application to deploy.")
class Template(Node):
    slug: str = strawberry.field(description="The slug, unique on the platform.")
    name: str = strawberry.field(description="The name for people.")
    description: str | None = strawberry.field(description="What it is; null if not given.")
    category: str | None = strawberry.field(description="What it is for; null if not given.")
    tags: list[str] = strawberry.field(description="Words to find it by.")
    created_at: datetime = strawberry.field(description="When it was created here.")

    @strawberry.field(
        description="Figures about its deployments; `share` is of all you can see, its adoption."
    )
    async def deployment_stats(
        self, parent: Root, info: Info, range: RangeArgument = None, time_zone: ZoneArgument = UTC
    ) -> DeploymentStats:
        filter = Filter.of(templates=[parent.template_id])
        return await load_known(info, filter, range, time_zone)

    is_type_of = instances_of(resolvers.Template, resolvers.TemplateName)
