"""Statistics: for each fact the types of its figures, made from its declaration."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from types import GenericAlias
from typing import Annotated, Any

import strawberry
from strawberry import LazyType

from resolvers import error_rates
from resolvers import groups as grouped
from resolvers import statistics as resolvers
from resolvers.population import Breakdown, EarlierRange
from resolvers.statistics import Statistics, StatisticsRow
from schema.declarations import STATEMENT, TypeShape, costs, typed, weighs
from schema.enums import Comparison, GroupKind, Interval, status_enum
from schema.figures.panels import Panels, measure_fields, panels_of
from schema.figures.ranges import Freshness, TimeSpan, WholeArgument
from schema.info import Info
from schema.nodes import instances_of
from schema.scalars import Long, TimeZone
from schema.selection import look_ahead
from storage.dimensions import (
    ENDPOINT,
    ENVIRONMENT,
    FUNCTION,
    MODEL,
    NETWORK,
    PROJECT,
    TEMPLATE,
    Dimension,
)
from storage.facts.api_calls import API_CALLS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Entity, Fact
from storage.facts.invocations import INVOCATIONS
from storage.facts.model_calls import MODEL_CALLS

Root = strawberry.Parent[Statistics]
IntervalArgument = Annotated[Interval, strawberry.argument("The length of the buckets.")]
FirstGroups = Annotated[
    int | None,
    strawberry.argument(
        f"The number of groups, at most {grouped.MAX_GROUPS}, also for null; all others form one "
        "more."
    ),
]

# The types of the objects behind dimensions. They have statistics, so they are imported later.
LINKS: dict[Dimension, Any] = {
    PROJECT: LazyType("Project", "schema.things.projects"),
    ENVIRONMENT: LazyType("Environment", "schema.things.environments"),
    NETWORK: LazyType("Network", "schema.things.networks"),
    TEMPLATE: LazyType("Template", "schema.things.templates"),
    FUNCTION: LazyType("Function", "schema.things.functions"),
    ENDPOINT: LazyType("Endpoint", "schema.things.functions"),
    MODEL: LazyType("Model", "schema.things.models"),
}
# The facts that some of these show: what a group shows of them changes with their rows.
FACTS_OF: dict[Dimension, Fact] = {
    FUNCTION: INVOCATIONS,
    ENDPOINT: API_CALLS,
    MODEL: MODEL_CALLS,
}


@strawberry.type(description="The number of durations in a range of durations.")
class DurationRange:
    from_ms: float = strawberry.field(
        description="The shortest duration, inside the range, in milliseconds."
    )
    to_ms: float | None = strawberry.field(
        description="The end, outside the range, in milliseconds; null if it has none."
    )
    count: Long = strawberry.field(description="The number of durations.")


@cache
def statistics_of(fact: Fact) -> Any:
    """Makes the type `<Stem>Stats`, with its panels."""
    panels = panels_of(fact)
    fields = {
        "range": typed(TimeSpan, "The range that was counted."),
        "time_zone": typed(TimeZone, "The time zone of days, weeks and months."),
        "freshness": typed(Freshness, "How recent and how exact the figures are."),
        "series": _series(panels),
        **{f"by_{each}": _groups(panels, each) for each in panels.dimensions.values()},
        "previous": _previous(panels),
    }
    if fact.timing is not None:
        fields |= {"duration_ms": _PERCENTILE, "distribution": _DISTRIBUTION}
    if fact is ERROR_OCCURRENCES:
        fields["top"] = _TOP
    if isinstance(fact, Entity):
        fields["by_status"] = _by_status(fact)
    made = _made(f"{fact.stem}Stats", f"Figures about {fact.noun}.", fields, fact, Statistics)
    return weighs(STATEMENT)(made)


@cache
def _figures(fact: Fact) -> Any:
    fields = measure_fields(fact, shares=False)
    made = type(f"{fact.stem}Figures", (), {"__module__": __name__, **fields})
    return strawberry.interface(made, description=f"The headline figures of {fact.noun}.")


def _made(
    name: str, description: str, fields: Mapping[str, Any], fact: Fact, row: type = StatisticsRow
) -> Any:
    """Makes a type with the figures of a fact and further fields, whose values are such rows."""
    own = {"__module__": __name__, "is_type_of": instances_of(row), **fields}
    return strawberry.type(type(name, (_figures(fact),), own), description=description)


def _list_of(kind: Any) -> Any:
    return GenericAlias(list, (kind,))


@cache
def _point(fact: Fact) -> Any:
    fields = {
        "start": typed(datetime, "The start, inside the bucket."),
        "end": typed(datetime, "The end, outside the bucket."),
        "open": typed(bool, "True if the bucket may still receive events."),
    }
    return _made(f"{fact.stem}Point", f"The figures of {fact.noun} in one bucket.", fields, fact)


@cache
def _totals(fact: Fact) -> Any:
    fields = {
        "range": typed(TimeSpan, "The earlier range."),
        "freshness": typed(Freshness, "How recent and how exact the figures are."),
    }
    description = f"The figures of {fact.noun} in an earlier range."
    return weighs(STATEMENT)(_made(f"{fact.stem}Totals", description, fields, fact))


@cache
def _group(fact: Fact) -> Any:
    linked = [dimension for dimension in (PROJECT, *fact.dimensions) if dimension in LINKS]
    fields = {
        "kind": typed(GroupKind, "What its rows have in common."),
        "name": typed(str | None, "The name or slug; null unless the kind is NAMED."),
        **{each.name: _link(each) for each in linked},
        **measure_fields(fact, shares=True),
        "series": _group_series(fact),
    }
    description = f"The figures of {fact.noun} with the same value of a dimension."
    made = _made(f"{fact.stem}Group", description, fields, fact)
    return weighs(STATEMENT, TypeShape.GROUP)(made)


def _link(dimension: Dimension) -> Any:
    text = f"The {dimension}; null if unknown or not grouped by {dimension}"
    several = ", and in figures of several projects" if dimension.interned else ""
    shown = FACTS_OF.get(dimension)
    return strawberry.field(
        description=f"{text}{several}.",
        graphql_type=LINKS[dimension] | None,
        metadata=costs(facts=(shown.name,) if shown else ()),
    )


def _series(panels: Panels) -> Any:
    async def series(parent: Root, info: Info, interval: IntervalArgument = Interval.AUTO) -> Any:
        breakdown = Breakdown(look_ahead(info, panels.measures), interval=interval.value)
        return await resolvers.series(info.context, parent, breakdown)

    return strawberry.field(
        series,
        description="The figures by bucket of time, empty buckets included; null on error.",
        graphql_type=_list_of(_point(panels.fact)) | None,
    )


def _group_series(fact: Fact) -> Any:
    def series(
        parent: strawberry.Parent[StatisticsRow], interval: IntervalArgument = Interval.AUTO
    ) -> Any:
        return _points_of_group(parent, interval)

    return strawberry.field(
        series,
        description="The figures of the group by bucket of time, empty buckets included.",
        graphql_type=_list_of(_point(fact)),
        metadata={"pure": _points_of_group},  # a function of the group and the argument
    )


def _points_of_group(group: StatisticsRow, interval: Interval) -> Any:
    return group.series[interval.value]


def _groups(panels: Panels, dimension: Dimension) -> Any:
    read = partial(panels.grouping, dimension)

    async def groups(parent: Root, info: Info, first: FirstGroups = 10) -> Any:
        return await grouped.groups(info.context, parent, look_ahead(info, read), first)

    return strawberry.field(
        groups,
        description=f"The figures by {dimension.words}, largest first; null on error.",
        graphql_type=_list_of(_group(panels.fact)) | None,
    )


def _previous(panels: Panels) -> Any:
    async def previous(
        parent: Root,
        info: Info,
        compare: Annotated[
            Comparison, strawberry.argument("The earlier range.")
        ] = Comparison.PREVIOUS_PERIOD,
        compare_whole: WholeArgument = False,
    ) -> Any:
        earlier = EarlierRange(compare.value, compare_whole)
        breakdown = Breakdown(look_ahead(info, panels.measures), earlier=earlier)
        return await resolvers.previous(info.context, parent, breakdown)

    return strawberry.field(
        previous,
        description="The same figures of an earlier range; null on error.",
        graphql_type=_totals(panels.fact) | None,
    )


async def _percentile(
    parent: Root,
    info: Info,
    percentile: Annotated[float, strawberry.argument("A fraction from 0 to 1: 0.95 is the p95.")],
) -> float | None:
    return await resolvers.percentile(info.context, parent, percentile)


_PERCENTILE = strawberry.field(
    _percentile,
    description="A percentile of the durations, in milliseconds; null if none is known.",
)


async def _distribution(parent: Root, info: Info) -> list[DurationRange] | None:
    return await resolvers.distribution(info.context, parent)  # type: ignore[return-value]


_DISTRIBUTION = strawberry.field(
    _distribution,
    description="The number of durations by range, shortest first; null on error.",
)


@strawberry.type(description="An error, and its part of all occurrences.")
class ErrorShare:
    error: Any = typed(LazyType("Error", "schema.things.errors"), "The error.")
    occurrences: Long = strawberry.field(description="How often it occurred.")
    share: float = strawberry.field(description="Its part of all occurrences, from 0 to 1.")

    is_type_of = instances_of(error_rates.Share)


async def _top(
    parent: Root,
    info: Info,
    first: Annotated[
        int, strawberry.argument(f"The number of errors, at most {error_rates.TOP_AT_MOST}.")
    ] = 10,
) -> list[ErrorShare] | None:
    return await error_rates.most_frequent(info.context, parent, first)  # type: ignore[return-value]


_TOP = strawberry.field(
    _top,
    description="The errors that occurred most often; null on error.",
    metadata=costs(weight=STATEMENT),
)


def _by_status(fact: Entity) -> Any:
    def by_status(parent: Root) -> Any:
        return resolvers.by_status(parent)

    fields = {
        "status": typed(status_enum(fact), "The status."),
        "count": typed(int, f"The number of {fact.noun}."),
    }
    made = type(f"{fact.stem}StatusCount", (), {"__module__": __name__, **fields})
    count = strawberry.type(made, description=f"The number of {fact.noun} with one status.")
    return strawberry.field(
        by_status,
        description=f"The number of {fact.noun} by their current status; null on error.",
        graphql_type=_list_of(count) | None,
    )
