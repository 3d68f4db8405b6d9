"""Metrics: a table of columns that any chart can be drawn from."""

from datetime import datetime
from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import metrics as resolvers
from resolvers.metrics import MAX_GROUPED_BY
from resolvers.statistics import MAX_GROUPS
from resolvers.subjects import FilterNames, named_subject
from schema.declarations import STATEMENT, Items, Shape, costs, field, weighs
from schema.enums import Comparison, Dimension, GroupKind, Interval, Measure, Unit
from schema.figures.filters import FilterArgument
from schema.figures.freshness import Freshness
from schema.figures.ranges import UTC, RangeArgument, TimeSpan, ZoneArgument, to_range
from schema.info import Info
from schema.scalars import TimeZone


@strawberry.type(description="A bucket of time: half-open.")
class MetricBucket:
    start: datetime = strawberry.field(description="Where it begins.")
    end: datetime = strawberry.field(description="Where it ends: the first instant outside.")
    open: bool = strawberry.field(description="Events may still fall into it.")


@strawberry.type(description="The value of one dimension in a group.")
class MetricKey:
    dimension: Dimension = strawberry.field(description="Which dimension.")
    kind: GroupKind = strawberry.field(description="What the group has in common there.")
    name: str | None = strawberry.field(
        description="The name or slug; null unless the kind is NAMED."
    )


@strawberry.type(description="What a row of each column is about.")
class MetricGroup:
    keys: list[MetricKey] = strawberry.field(
        description="A key for each dimension grouped by, in their order; none for the others.",
        metadata=costs(items=Items.DIMENSIONS),
    )
    is_others: bool = strawberry.field(
        description="It is all groups beyond the first ones together."
    )


@strawberry.type(description="A measure: a row of values for each group, one for each bucket.")
class MetricColumn:
    measure: Measure = strawberry.field(description="Which measure.")
    unit: Unit = strawberry.field(description="What the values are counted in.")
    values: list[list[float | None]] = strawberry.field(
        description="For each group a value for each bucket; null where there is none."
    )
    totals: list[float | None] = strawberry.field(
        description="For each group the value over the whole range."
    )
    total: float | None = strawberry.field(
        description="The value over range and groups; null where there is none."
    )
    previous_totals: list[float | None] | None = strawberry.field(
        description="The totals of the earlier range; null without `compare`."
    )
    previous_total: float | None = strawberry.field(
        description="The total of the earlier range; null without `compare`."
    )


@weighs(STATEMENT, Shape.TABLE)
@strawberry.type(description="Measures by groups and buckets, column by column.")
class MetricTable:
    range: TimeSpan = strawberry.field(description="The range that was counted.")
    previous_range: TimeSpan | None = strawberry.field(
        description="The earlier range; null without `compare`."
    )
    time_zone: TimeZone = strawberry.field(description="The zone of its days, weeks and months.")
    interval: Interval | None = strawberry.field(
        description="How long the buckets are; null when the range is one bucket."
    )
    buckets: list[MetricBucket] = strawberry.field(
        description="The buckets, in order of time.", metadata=costs(items=Items.BUCKETS)
    )
    groups: list[MetricGroup] = strawberry.field(
        description="The groups, the largest first.", metadata=costs(items=Items.GROUPS)
    )
    group_count: int = strawberry.field(description="How many groups there are in all.")
    columns: list[MetricColumn] = strawberry.field(
        description="A column for each measure, in the order asked for.",
        metadata=costs(items=Items.MEASURES),
    )
    freshness: Freshness = strawberry.field(description="How new and how exact the figures are.")


@strawberry.type
class MetricQueries:
    @field(Permission.READ, "Any measures by any dimensions over time, for any chart.", kept=True)
    async def metrics(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        measures: Annotated[
            list[Measure], strawberry.argument(description="What to compute, in this order.")
        ],
        group_by: Annotated[
            list[Dimension] | None,
            strawberry.argument(
                description=f"What to split by: at most {MAX_GROUPED_BY}; nothing by default."
            ),
        ] = None,
        filter: FilterArgument = None,
        range: RangeArgument = None,
        interval: Annotated[
            Interval | None,
            strawberry.argument(description="How long the buckets are; one bucket by default."),
        ] = None,
        time_zone: ZoneArgument = UTC,
        compare: Annotated[
            Comparison | None,
            strawberry.argument(description="An earlier range to compare the totals with."),
        ] = None,
        first: Annotated[
            int,
            strawberry.argument(
                description="How many groups, the largest by the first measure, at most "
                f"{MAX_GROUPS}; the rest is one group more."
            ),
        ] = 50,
    ) -> MetricTable:
        names = filter.names() if filter else FilterNames()
        span = to_range(info.context, range, time_zone)
        wanted = resolvers.Wanted(
            measures=tuple(measure.value for measure in measures),
            group_by=tuple(dimension.value for dimension in group_by or ()),
            interval=interval and interval.value,
            comparison=compare and compare.value,
            first=first,
        )
        asked = await named_subject(info.context, names, span, time_zone)
        return await resolvers.metrics(info.context, asked, wanted)  # type: ignore[return-value]
