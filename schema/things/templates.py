"""The type of templates, the deployable applications."""

from datetime import datetime

import strawberry

from analytics.slices import Filter
from resolvers import templates as resolvers
from schema.declarations import TYPE_NAME
from schema.nodes import Node, instances_of
from schema.things.statistics import statistics_field

# Fields that need nothing of a template but its name.
NAME_FIELDS = frozenset({TYPE_NAME, "id", "slug", "name", "deploymentStats"})


@strawberry.type(description="A ready-made application to deploy.")
class Template(Node):
    slug: str = strawberry.field(description="The slug, unique on the platform.")
    name: str = strawberry.field(description="The name for people.")
    description: str | None = strawberry.field(description="What it is; null if not given.")
    category: str | None = strawberry.field(description="What it is for; null if not given.")
    tags: list[str] = strawberry.field(description="Words to find it by.")
    created_at: datetime = strawberry.field(description="When the gateway first stored it.")

    deployment_stats = statistics_field(
        "Figures about its deployments; `share` is their part of all you can see, its adoption.",
        lambda template: Filter.of(templates=[template.template_id]),
    )

    is_type_of = instances_of(resolvers.Template, resolvers.TemplateName)
