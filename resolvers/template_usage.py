"""Template usage: the templates of a network's deployments."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.answer import Answer, Key
from analytics.components import Components, count
from analytics.dimensions import NONE, OTHER, Dimension
from analytics.measures import MEASURES
from analytics.periods import Range
from analytics.slices import Filter
from resolvers.context import Context
from resolvers.networks import Network
from resolvers.pages import page_size
from resolvers.statistics import MAX_GROUPS
from resolvers.subjects import Breakdown, known_subject
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
    subject = known_subject(context, Filter.of(networks=[network.network_id]), range, zone)
    answer = await context.loaders.answers.load(subject.slice(BY_TEMPLATE))
    keys = sorted(
        (key for key in answer.totals if key != (NONE,) and _usage(answer.totals[key])),
        key=lambda key: (-_usage(answer.totals[key]), key),
    )
    all_used = sum(_usage(answer.totals[key]) for key in keys)
    ids = [key[0] for key in keys[:limit] if key[0] > OTHER]
    slugs = await context.services.dictionaries.names(Dimension.TEMPLATE, ids)
    rows = await context.loaders.template_by_id.load_many(ids) if linked else []
    templates = {row["template_id"]: Template.of(row) for row in rows if row is not None}
    return [
        _row(answer, key, all_used, slugs.get(key[0]), templates.get(key[0]))
        for key in keys[:limit]
    ]


def _usage(cell: Components) -> int:
    return count(cell, "attempts")


def _row(
    answer: Answer, key: Key, all_used: int, slug: str | None, template: Template | None
) -> TemplateUsage:
    cell = answer.totals[key]
    return TemplateUsage(
        slug=slug,
        template=template,
        usage=_usage(cell),
        successes=count(cell, "succeeded"),
        success_rate=float(MEASURES["success_rate"].value(cell) or 0.0),
        adoption_rate=_usage(cell) / all_used,
        freshness=answer,
    )
