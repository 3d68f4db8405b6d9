"""Statistics of deployments: totals, series, groups and comparison."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

from analytics.dimensions import Dimension
from analytics.measures import MeasureKind
from analytics.slices import Filter
from resolvers import statistics as resolvers
from resolvers.population import (
    EVERYTHING,
    Breakdown,
    Population,
    named_population,
)
from schema.declarations import STATEMENT, TypeShape, weighs
from schema.enums import Comparison, GroupKind, Interval
from schema.figures.filters import DeploymentStatsFilter, filter_names
from schema.figures.freshness import Freshness
from schema.figures.measures import OF_POINTS, OF_TOTALS, selected_measures, with_measures
from schema.figures.ranges import UTC, RangeArgument, TimeRange, TimeSpan, ZoneArgument, to_range
from schema.info import Info
from schema.scalars import TimeZone
from schema.selection import Selected, Selection, look_ahead

if TYPE_CHECKING:
    from schema.things.networks import Network
    from schema.things.projects import Project
    from schema.things.templates import Template

Member = TypeVar("Member", bound=Enum)


@strawberry.type(description="The figures of one bucket of a series.")
@with_measures(OF_POINTS)
class DeploymentStatsPoint:
    start: datetime = strawberry.field(description="The start, inside the bucket.")
    end: datetime = strawberry.field(description="The end, outside the bucket.")
    open: bool = strawberry.field(description="True if the bucket may still receive events.")


@weighs(STATEMENT, TypeShape.GROUP)
@strawberry.type(description="The figures of deployments with the same network, template, …")
@with_measures(OF_TOTALS, unknown=[MeasureKind.DISTINCT])
class DeploymentStatsGroup:
    kind: GroupKind = strawberry.field(description="What its deployments have in common.")
    name: str | None = strawberry.field(
        description="The name or slug; null unless the kind is NAMED."
    )
    project: Annotated["Project", strawberry.lazy(".projects")] | None = strawberry.field(
        description="The project; null if not grouped by project."
    )
    network: Annotated["Network", strawberry.lazy(".networks")] | None = strawberry.field(
        description="The network; null if unknown or not grouped by network."
    )
    template: Annotated["Template", strawberry.lazy(".templates")] | None = strawberry.field(
        description="The template; null if unknown or not grouped by template."
    )


@weighs(STATEMENT)
@strawberry.type(description="The figures of an earlier range.")
@with_measures(OF_TOTALS)
class DeploymentTotals:
    range: TimeSpan = strawberry.field(description="The earlier range.")
    freshness: Freshness = strawberry.field(description="How recent and how exact the figures are.")


FirstGroups = Annotated[
    int | None,
    strawberry.argument(
        f"How many groups, at most {resolvers.MAX_GROUPS}; all others form one more."
    ),
]
Root = strawberry.Parent[resolvers.Statistics]


def _grouped_by(dimension: Dimension, default: int | None = None) -> Any:
    """The field `by_<dimension>`, which returns `default` groups unless `first` is given."""

    async def groups(
        parent: Root, info: Info, first: FirstGroups = default
    ) -> list[DeploymentStatsGroup]:
        breakdown = Breakdown(look_ahead(info, _measures), group_by=(dimension,))
        links = look_ahead(info, _links)
        return await resolvers.groups(info.context, parent, breakdown, first, links)  # type: ignore[return-value]

    return strawberry.field(groups, description=f"The figures by {dimension}, largest first.")


@weighs(STATEMENT)
@strawberry.type(description="Figures about deployments.")
@with_measures(OF_TOTALS)
class DeploymentStats:
    range: TimeSpan = strawberry.field(description="The range that was counted.")
    time_zone: TimeZone = strawberry.field(description="The time zone of days, weeks and months.")
    freshness: Freshness = strawberry.field(description="How recent and how exact the figures are.")

    @strawberry.field(
        description="A percentile of the durations, in milliseconds; null if none is known."
    )
    async def duration_ms(
        self,
        parent: Root,
        info: Info,
        percentile: Annotated[
            float, strawberry.argument("A fraction from 0 to 1: 0.95 is the p95.")
        ],
    ) -> float | None:
        return await resolvers.percentile(info.context, parent, PERCENTILES, percentile)

    @strawberry.field(description="The figures by bucket of time, empty buckets included.")
    async def series(
        self,
        parent: Root,
        info: Info,
        interval: Annotated[
            Interval, strawberry.argument("The length of the buckets.")
        ] = Interval.AUTO,
    ) -> list[DeploymentStatsPoint]:
        breakdown = Breakdown(look_ahead(info, _measures), interval=interval.value)
        return await resolvers.series(info.context, parent, breakdown)  # type: ignore[return-value]

    by_network = _grouped_by(Dimension.NETWORK)
    by_template = _grouped_by(Dimension.TEMPLATE, default=10)
    by_framework = _grouped_by(Dimension.FRAMEWORK)
    by_environment = _grouped_by(Dimension.ENVIRONMENT)
    by_project = _grouped_by(Dimension.PROJECT, default=10)

    @strawberry.field(description="The same figures of an earlier range.")
    async def previous(
        self,
        parent: Root,
        info: Info,
        compare: Annotated[
            Comparison, strawberry.argument("The earlier range.")
        ] = Comparison.PREVIOUS_PERIOD,
    ) -> DeploymentTotals:
        breakdown = Breakdown(look_ahead(info, _measures), comparison=compare.value)
        return await resolvers.previous(info.context, parent, breakdown)  # type: ignore[return-value]


GROUPS = {to_camel_case(f"by_{dimension}"): dimension for dimension in Dimension}
# Every percentile is read from the same histogram.
PERCENTILES = Breakdown(frozenset({"duration_p50_ms"}))


def _measures(_selection: Selection, fields: list[Selected]) -> frozenset[str]:
    return selected_measures(fields)


def _links(_selection: Selection, fields: list[Selected]) -> frozenset[str]:
    return frozenset(field.name for field in fields)


async def load(info: Info, population: Population) -> DeploymentStats:
    """Loads at once all statistics of a population that the query selects."""
    breakdowns = look_ahead(info, _breakdowns)
    return await resolvers.statistics(info.context, population, breakdowns)  # type: ignore[return-value]


async def load_named(
    info: Info, filter: DeploymentStatsFilter | None, range: TimeRange | None, zone: str
) -> DeploymentStats:
    """Loads the statistics of a client's filter."""
    span = to_range(info.context, range, zone)
    return await load(info, await named_population(info.context, filter_names(filter), span, zone))


def statistics_field(
    description: str,
    filter_of: Callable[[Any], Filter],
    whole_of: Callable[[Any], Filter] = lambda _parent: EVERYTHING,
) -> Any:
    """The field `deployment_stats` of a type: the statistics of a filter, shares of a whole."""

    async def deployment_stats(
        parent: strawberry.Parent[Any],
        info: Info,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
    ) -> DeploymentStats:
        span, scope = to_range(info.context, range, time_zone), info.context.scope
        chosen, whole = filter_of(parent), whole_of(parent)
        return await load(info, Population(scope, chosen, span, time_zone, whole))

    return strawberry.field(deployment_stats, description=description)


def _breakdowns(selection: Selection, fields: list[Selected]) -> Sequence[Breakdown]:
    """The totals first, then the breakdown of each selected field."""
    measures = selected_measures(fields)
    breakdowns = []
    for field in fields:
        below = selected_measures(selection.fields([field.below]))
        if field.name == "series":
            interval = _member(Interval, field.arguments.get("interval"), Interval.AUTO)
            breakdowns.append(Breakdown(below, interval=interval))
        elif field.name == "previous":
            compare = _member(
                Comparison, field.arguments.get("compare"), Comparison.PREVIOUS_PERIOD
            )
            breakdowns.append(Breakdown(below, comparison=compare))
        elif field.name in GROUPS:
            breakdowns.append(Breakdown(below, group_by=(GROUPS[field.name],)))
        elif field.name == "durationMs":
            breakdowns.append(PERCENTILES)
    return [Breakdown(measures), *breakdowns]


def _member(kind: type[Member], given: Any, default: Member) -> Any:
    """The domain's value of an enum argument: a name in a document, a member in a variable."""
    if given is None:
        return default.value
    return given.value if isinstance(given, kind) else kind[given].value
