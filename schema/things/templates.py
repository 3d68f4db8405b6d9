"""Templates as clients see them."""

from datetime import datetime

import strawberry

from analytics.slices import Filter
from resolvers import templates as resolvers
from schema.declarations import TYPE_NAME
from schema.figures.ranges import UTC, RangeArgument, ZoneArgument
from schema.info import Info
from schema.nodes import Node, made_of
from schema.things.statistics import DeploymentStats, load_known

# Fields that need nothing of a template but its name.
NAME_FIELDS = frozenset({TYPE_NAME, "id", "slug", "name", "deploymentStats"})

Root = strawberry.Parent[resolvers.Template]


@strawberry.type(description="Something ready-made that can be deployed.")
class Template(Node):
    slug: str = strawberry.field(description="Its short name, unique on the platform.")
    name: str = strawberry.field(description="Its name for people.")
    description: str | None = strawberry.field(description="What it is; null when not told.")
    category: str | None = strawberry.field(description="What it is for; null when not told.")
    tags: list[str] = strawberry.field(description="Words it can be found by.")
    created_at: datetime = strawberry.field(description="When it was made known here.")

    @strawberry.field(
        description="Figures about its deployments; share is its adoption among all you can see."
    )
    async def deployment_stats(
        self, parent: Root, info: Info, range: RangeArgument = None, time_zone: ZoneArgument = UTC
    ) -> DeploymentStats:
        filter = Filter.of(templates=[parent.template_id])
        return await load_known(info, filter, range, time_zone)

    is_type_of = made_of(resolvers.Template, resolvers.TemplateName)
