"""Template usage: the templates of a network's deployments."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.answer import Answer
from analytics.components import count
from analytics.dimensions import NONE, OTHER, Dimension
from analytics.measures import MEASURES
from analytics.periods import Range
from analytics.slices import Filter
from resolvers.context import Context
from resolvers.networks import Network
from resolvers.pages import page_size
from resolvers.population import Breakdown, Population
from resolvers.statistics import MAX_GROUPS
from resolvers.templates import Template

BY_TEMPLATE = Breakdown(
    frozenset({"attempts", "succeeded", "success_rate"}), group_by=(Dimension.TEMPLATE,)
)


@dataclass(frozen=True, slots=True)
class TemplateUsage:
    """One template's usage on one network; all unknown templates share one."""

    slug: str | None
    template: Template | None
    usage: int
    successes: int
    success_rate: float
    adoption_rate: float
    freshness: Answer


async def template_usage(
    context: Context, network: Network, range: Range, zone: str, first: int | None, *, linked: bool
) -> list[TemplateUsage]:
    """Returns usages, largest first, ties by id; without deployments from no template."""
    limit = MAX_GROUPS if first is None else page_size(first, most=MAX_GROUPS)
    population = Population(context.scope, Filter.of(networks=[network.network_id]), range, zone)
    answer = await context.loaders.answers.load(population.slice(BY_TEMPLATE))
    cells = {key[0]: cell for key, cell in answer.totals.items()}
    usage = {id: count(cell, "attempts") for id, cell in cells.items()}
    used = sorted((id for id in usage if id != NONE and usage[id]), key=lambda id: (-usage[id], id))
    shown = [id for id in used[:limit] if id > OTHER]
    slugs = await context.services.dictionaries.names(Dimension.TEMPLATE, shown)
    rows = await context.loaders.template_by_id.load_many(shown) if linked else []
    templates = {row["template_id"]: Template.of(row) for row in rows if row is not None}
    all_used = sum(usage[id] for id in used)
    return [
        TemplateUsage(
            slug=slugs.get(id),
            template=templates.get(id),
            usage=usage[id],
            successes=count(cells[id], "succeeded"),
            success_rate=float(MEASURES["success_rate"].value(cells[id]) or 0.0),
            adoption_rate=usage[id] / all_used,
            freshness=answer,
        )
        for id in used[:limit]
    ]
