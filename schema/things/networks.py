"""Networks and the use of templates on them."""

from datetime import datetime
from typing import Annotated

import strawberry

from analytics.slices import Filter
from resolvers import networks as resolvers
from resolvers import template_usage
from schema.declarations import STATEMENT, weighs
from schema.figures.freshness import Freshness
from schema.figures.ranges import UTC, RangeArgument, ZoneArgument, to_range
from schema.info import Info
from schema.nodes import Node, instances_of
from schema.selection import Selected, Selection, look_ahead
from schema.things.statistics import statistics_field
from schema.things.templates import Template

Root = strawberry.Parent[resolvers.Network]


@weighs(STATEMENT)
@strawberry.type(description="The use of a template on a network.")
class TemplateUsage:
    slug: str | None = strawberry.field(
        description="The template's slug; null for all unknown templates together."
    )
    template: Template | None = strawberry.field(
        description="The template; null for all unknown templates together."
    )
    usage: int = strawberry.field(description="The number of deployments created from it.")
    successes: int = strawberry.field(description="The number of these that succeeded.")
    success_rate: float = strawberry.field(
        description="The fraction of the finished that succeeded, from 0 to 1; 0 if none finished."
    )
    freshness: Freshness = strawberry.field(description="How recent and how exact the figures are.")
    adoption_rate: float = strawberry.field(
        description="Its fraction of the network's deployments from templates, from 0 to 1."
    )


@strawberry.type(description="A network that deployments run on.")
class Network(Node):
    name: str = strawberry.field(description="The name, in lower case.")
    title: str = strawberry.field(description="The name for people.")
    chain_id: str | None = strawberry.field(
        description="The chain id, in decimal digits; null if it has none."
    )
    created_at: datetime = strawberry.field(description="When the gateway first stored it.")

    deployment_stats = statistics_field(
        "Figures about its deployments; `share` is their part of all you can see.",
        lambda network: Filter.of(networks=[network.network_id]),
    )

    @strawberry.field(description="The templates used on it, most used first.")
    async def template_usage(
        self,
        parent: Root,
        info: Info,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
        first: Annotated[
            int | None, strawberry.argument("The number of templates; null for all.")
        ] = 10,
    ) -> list[TemplateUsage]:
        span = to_range(info.context, range, time_zone)
        linked = look_ahead(info, _selects_template)
        return await template_usage.template_usage(  # type: ignore[return-value]
            info.context, parent, span, time_zone, first, linked=linked
        )

    is_type_of = instances_of(resolvers.Network)


def _selects_template(_selection: Selection, fields: list[Selected]) -> bool:
    return any(field.name == "template" for field in fields)
