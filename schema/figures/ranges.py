"""Time ranges, as clients give them, and the freshness of figures about them."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from analytics import periods
from analytics.periods import Duration
from resolvers.context import Context
from schema.declarations import optional
from schema.enums import CalendarUnit, Source
from schema.scalars import TimeZone
from storage.errors import InvalidInput


@strawberry.input(description="From a start up to, not including, an end.")
class DateTimeRange:
    start: datetime = strawberry.field(description="The start, inside the range.")
    end: datetime = strawberry.field(description="The end, outside the range.")


@strawberry.input(
    description="Whole calendar units in the time zone of the request, by default the current one."
)
class CalendarRange:
    unit: CalendarUnit = strawberry.field(description="A day, week, month, quarter or year.")
    on: date | None = optional("A day inside the last of the units; today by default.", "date")
    count: int = strawberry.field(default=1, description="How many units, at least 1.")
    offset: int = strawberry.field(
        default=0,
        description="Units from the current one to the last: -1 is the previous. Not with `date`.",
    )


@strawberry.input(
    one_of=True,
    description="A range of time, given in exactly one of three ways.",
)
class TimeRange:
    last: strawberry.Maybe[Duration] = strawberry.field(
        description="A duration that ends with the current minute."
    )
    between: strawberry.Maybe[DateTimeRange] = strawberry.field(
        description="From a start up to, not including, an end."
    )
    calendar: strawberry.Maybe[CalendarRange] = strawberry.field(
        description="Whole days, weeks, months, quarters or years."
    )


@strawberry.type(description="A range of time: the start is inside, the end is not.")
class TimeSpan:
    start: datetime = strawberry.field(description="The start, inside the range.")
    end: datetime = strawberry.field(description="The end, outside the range.")


@strawberry.type(description="How recent and how exact figures are.")
class Freshness:
    as_of: datetime = strawberry.field(
        description="Every event acknowledged before this time is counted."
    )
    source: Source = strawberry.field(description="The tables that the figures were read from.")
    complete: bool = strawberry.field(
        description="True if the range is over and stored in full; only late events change it."
    )
    approximate: bool = strawberry.field(
        description="True if edges were rounded to UTC days or quarter hours; finer data is gone."
    )


RangeArgument = Annotated[
    TimeRange | None, strawberry.argument("The range; the last 30 days by default.")
]
ZoneArgument = Annotated[TimeZone, strawberry.argument("The time zone of days, weeks and months.")]
WholeArgument = Annotated[
    bool,
    strawberry.argument(
        "Compares a range that still runs with the whole earlier range, instead of the part of it "
        "that has passed."
    ),
]

DEFAULT_RANGE = Duration(days=30)
UTC = TimeZone("UTC")


def to_range(context: Context, given: TimeRange | None, zone: str) -> periods.Range:
    """Converts a range; raises InvalidInput, which names the argument."""
    try:
        return _range(given, zone, context.now)
    except InvalidInput as error:
        raise InvalidInput(error.message, path="range") from None
    except OverflowError:
        raise InvalidInput("The range goes beyond the years 1 to 9999.", path="range") from None


def _range(given: TimeRange | None, zone: str, now: datetime) -> periods.Range:
    if given is None:
        return periods.rolling(DEFAULT_RANGE, now, zone)
    if given.between is not None:
        return periods.Range(given.between.value.start, given.between.value.end)
    if given.calendar is not None:
        return _calendar(given.calendar.value, zone, now)
    return periods.rolling(DEFAULT_RANGE if given.last is None else given.last.value, now, zone)


def _calendar(given: CalendarRange, zone: str, now: datetime) -> periods.Range:
    unit: periods.CalendarUnit = given.unit.value
    if given.on is None:
        return periods.calendar_now(unit, zone, now, offset=given.offset, count=given.count)
    if given.offset:
        raise InvalidInput("Give `date` or `offset`, not both.")
    return periods.calendar(unit, zone, on=given.on, count=given.count)
