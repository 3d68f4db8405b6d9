"""The type of templates, the deployable applications."""

from datetime import datetime

import strawberry

from resolvers import provisioned as resolvers
from schema.figures.fields import with_statistics
from schema.nodes import Node, instances_of
from schema.things.error_links import errors_field
from storage.dimensions import TEMPLATE
from storage.queries.errors.related import newest_of_dimension


@strawberry.type(description="A ready-made application to deploy.")
@with_statistics({TEMPLATE: "template_id"})
class Template(Node):
    slug: str = strawberry.field(description="The slug, unique on the platform.")
    name: str = strawberry.field(description="The name for people.")
    description: str | None = strawberry.field(description="What it is; null if not given.")
    category: str | None = strawberry.field(description="What it is for; null if not given.")
    tags: list[str] = strawberry.field(description="Words to find it by.")
    created_at: datetime = strawberry.field(description="When the gateway first stored it.")

    errors = errors_field(
        newest_of_dimension(TEMPLATE),
        lambda parent: (parent.template_id,),
        "that you can see and that occurred in apps of it",
    )

    is_type_of = instances_of(resolvers.Template, resolvers.TemplateName)
