"""Metrics: a table of measures, column by column, for any chart."""

from datetime import datetime
from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import metrics as resolvers
from resolvers.metrics import MAX_GROUPED_BY
from resolvers.population import named_population
from resolvers.statistics import MAX_GROUPS
from schema.declarations import STATEMENT, Items, TypeShape, costs, field, weighs
from schema.enums import Comparison, Dimension, GroupKind, Interval, Measure, Unit
from schema.figures.filters import FilterArgument, filter_names
from schema.figures.freshness import Freshness
from schema.figures.ranges import UTC, RangeArgument, TimeSpan, ZoneArgument, to_range
from schema.info import Info
from schema.scalars import TimeZone


@strawberry.type(description="A bucket of time, from start to end.")
class MetricBucket:
    start: datetime = strawberry.field(description="The start, inside the bucket.")
    end: datetime = strawberry.field(description="The end, outside the bucket.")
    open: bool = strawberry.field(description="True if the bucket may still receive events.")


@strawberry.type(description="The value of one dimension in a group.")
class MetricKey:
    dimension: Dimension = strawberry.field(description="The dimension.")
    kind: GroupKind = strawberry.field(description="What the deployments have in common.")
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


@strawberry.type
class MetricQueries:
    @field(Permission.READ, "Any measures by any dimensions over time, as a table.", kept=True)
    async def metrics(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        measures: Annotated[list[Measure], strawberry.argument("The measures, in this order.")],
        group_by: Annotated[
            list[Dimension] | None,
            strawberry.argument(
                f"Dimensions to group by, at most {MAX_GROUPED_BY}; none by default."
            ),
        ] = None,
        filter: FilterArgument = None,
        range: RangeArgument = None,
        interval: Annotated[
            Interval | None,
            strawberry.argument("The length of the buckets; one bucket by default."),
        ] = None,
        time_zone: ZoneArgument = UTC,
        compare: Annotated[
            Comparison | None, strawberry.argument("An earlier range to compare totals with.")
        ] = None,
        first: Annotated[
            int,
            strawberry.argument(
                "The number of groups, largest by the first measure, at most "
                f"{MAX_GROUPS}; all others form one more."
            ),
        ] = 50,
    ) -> MetricTable:
        span = to_range(info.context, range, time_zone)
        wanted = resolvers.TableRequest(
            measures=tuple(measure.value for measure in measures),
            group_by=tuple(dimension.value for dimension in group_by or ()),
            interval=interval and interval.value,
            comparison=compare and compare.value,
            first=first,
        )
        population = await named_population(info.context, filter_names(filter), span, time_zone)
        return await resolvers.metrics(info.context, population, wanted)  # type: ignore[return-value]
