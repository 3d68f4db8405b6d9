"""Metrics: a table of measures, column by column, for any chart, and their catalogue."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.utils.str_converters import to_camel_case

from access.viewers import Permission
from analytics.measures import MEASURES, measures_of
from resolvers import metrics as resolvers
from resolvers.groups import MAX_GROUPS
from resolvers.metrics import MAX_GROUPED_BY
from resolvers.population import EarlierRange
from schema.declarations import ANY_TOKEN, STATEMENT, Items, TypeShape, costs, field, weighs
from schema.enums import Clock, Comparison, Dimension, Fact, GroupKind, Interval, Measure, Unit
from schema.figures.filters import MetricFilter, filter_names
from schema.figures.ranges import (
    UTC,
    Freshness,
    RangeArgument,
    TimeSpan,
    WholeArgument,
    ZoneArgument,
    to_range,
)
from schema.info import Info
from schema.scalars import TimeZone
from storage.dimensions import PROJECT
from storage.facts import FACTS


@strawberry.type(description="A bucket of time, from start to end.")
class MetricBucket:
    start: datetime = strawberry.field(description="The start, inside the bucket.")
    end: datetime = strawberry.field(description="The end, outside the bucket.")
    open: bool = strawberry.field(description="True if the bucket may still receive events.")


@strawberry.type(description="The value of one dimension in a group.")
class MetricKey:
    dimension: Dimension = strawberry.field(description="The dimension.")
    kind: GroupKind = strawberry.field(description="What its rows have in common.")
    name: str | None = strawberry.field(
        description="The name or slug; null unless the kind is NAMED."
    )


@strawberry.type(description="A group: a row of each column.")
class MetricGroup:
    keys: list[MetricKey] = strawberry.field(
        description="A key per dimension of `groupBy`; none for the group of all others.",
        metadata=costs(items=Items.DIMENSIONS),
    )
    is_others: bool = strawberry.field(
        description="True for the group of all others, beyond `first`."
    )


@strawberry.type(description="The values of a measure: a row per group, a value per bucket.")
class MetricColumn:
    measure: Measure = strawberry.field(description="The measure.")
    unit: Unit = strawberry.field(description="The unit of the values.")
    values: list[list[float | None]] = strawberry.field(
        description="A row per group with a value per bucket; null if there is none."
    )
    totals: list[float | None] = strawberry.field(
        description="The value of each group over the whole range; null if there is none."
    )
    total: float | None = strawberry.field(
        description="The value of all groups over the whole range; null if there is none."
    )
    previous_totals: list[float | None] | None = strawberry.field(
        description="The totals in the earlier range; null without `compare`."
    )
    previous_total: float | None = strawberry.field(
        description="The total in the earlier range; null without `compare`."
    )


@weighs(STATEMENT, TypeShape.TABLE)
@strawberry.type(description="Measures by group and bucket, column by column.")
class MetricTable:
    range: TimeSpan = strawberry.field(description="The range that was counted.")
    previous_range: TimeSpan | None = strawberry.field(
        description="The earlier range; null without `compare`."
    )
    time_zone: TimeZone = strawberry.field(description="The time zone of days, weeks and months.")
    interval: Interval | None = strawberry.field(
        description="The length of the buckets; null if the whole range is one bucket."
    )
    buckets: list[MetricBucket] = strawberry.field(
        description="The buckets, oldest first.", metadata=costs(items=Items.BUCKETS)
    )
    groups: list[MetricGroup] = strawberry.field(
        description="The groups, largest first.", metadata=costs(items=Items.GROUPS)
    )
    group_count: int = strawberry.field(description="The number of groups, also beyond `first`.")
    columns: list[MetricColumn] = strawberry.field(
        description="One column per measure, in the order of `measures`.",
        metadata=costs(items=Items.MEASURES),
    )
    freshness: Freshness = strawberry.field(description="How recent and how exact the figures are.")


@strawberry.type(description="A measure and how it is computed.")
class MeasureInfo:
    measure: Measure = strawberry.field(description="The name of the measure in `metrics`.")
    field: str | None = strawberry.field(
        description="The name of its field in statistics; null if only `metrics` has it."
    )
    fact: Fact = strawberry.field(description="The kind of event it is about.")
    unit: Unit = strawberry.field(description="The unit of its values.")
    clock: Clock = strawberry.field(description="The time by which it counts.")
    formula: str = strawberry.field(description="The formula, such as `failed / finished`.")
    description: str = strawberry.field(description="What the measure means.")
    additive: bool = strawberry.field(
        description="True if the values of buckets and groups add up to the total."
    )
    error_bound: float | None = strawberry.field(
        description="The largest relative error, as a fraction; null if the measure is exact."
    )
    dimensions: list[Dimension] = strawberry.field(
        description="What it can be grouped and filtered by."
    )


@strawberry.type
class MetricQueries:
    @field(
        Permission.READ,
        "Any measures by any dimensions over time, as a table; null on error.",
        kept=True,
    )
    async def metrics(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        measures: Annotated[
            list[Measure], strawberry.argument("The measures, in this order; of any facts.")
        ],
        group_by: Annotated[
            list[Dimension] | None,
            strawberry.argument(
                f"Dimensions to group by, at most {MAX_GROUPED_BY}; none by default."
            ),
        ] = None,
        filter: Annotated[
            MetricFilter | None, strawberry.argument("What to count; all you can see by default.")
        ] = None,
        range: RangeArgument = None,
        interval: Annotated[
            Interval | None,
            strawberry.argument("The length of the buckets; one bucket by default."),
        ] = None,
        time_zone: ZoneArgument = UTC,
        compare: Annotated[
            Comparison | None,
            strawberry.argument(
                "An earlier range to compare totals with.", metadata=costs(weight=STATEMENT)
            ),
        ] = None,
        compare_whole: WholeArgument = False,
        first: Annotated[
            int,
            strawberry.argument(
                "The number of groups, largest by the first measure, at most "
                f"{MAX_GROUPS}; all others form one more."
            ),
        ] = 50,
    ) -> MetricTable | None:
        wanted = resolvers.TableRequest(
            measures=tuple(measure.value for measure in measures),
            group_by=tuple(dimension.value for dimension in group_by or ()),
            interval=interval and interval.value,
            earlier=EarlierRange(compare.value, compare_whole) if compare else None,
            first=first,
        )
        span, names = to_range(info.context, range, time_zone), filter_names(filter)
        return await resolvers.metrics(info.context, names, span, time_zone, wanted)  # type: ignore[return-value]

    @field(ANY_TOKEN, "The catalogue of measures.", kept=True, facts=(), items=len(MEASURES))
    def measures(
        self,
        fact: Annotated[
            Fact | None, strawberry.argument("Only measures of this fact; all by default.")
        ] = None,
    ) -> list[MeasureInfo]:
        of_fact = MEASURES.values() if fact is None else measures_of(fact.value.name)
        return [
            MeasureInfo(
                measure=Measure(measure),
                field=to_camel_case(measure.name) if measure.headline else None,
                fact=Fact(FACTS[measure.fact]),
                unit=Unit(measure.unit),
                clock=Clock(measure.clock),
                formula=measure.formula,
                description=measure.description,
                additive=measure.additive,
                error_bound=measure.error_bound,
                dimensions=list(map(Dimension, (PROJECT, *FACTS[measure.fact].dimensions))),
            )
            for measure in of_fact
        ]
