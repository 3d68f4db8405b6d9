"""Time ranges, as clients give them."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from analytics import periods
from analytics.periods import Duration
from resolvers.context import Context
from schema.declarations import optional
from schema.enums import CalendarUnit
from schema.scalars import TimeZone
from storage.errors import InvalidInput


@strawberry.input(description="From a start up to, not including, an end.")
class DateTimeRange:
    start: datetime = strawberry.field(description="The start, inside the range.")
    end: datetime = strawberry.field(description="The end, outside the range.")


@strawberry.input(
    description="A calendar unit in the time zone of the request; the current one by default."
)
class CalendarRange:
    unit: CalendarUnit = strawberry.field(description="A day, week, month, quarter or year.")
    on: date | None = optional("A day inside the unit; today by default.", "date")
    offset: int = strawberry.field(
        default=0,
        description="Units from the current one: -1 is the previous. Not with `date`.",
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
        description="A day, week, month, quarter or year."
    )


@strawberry.type(description="A range of time: the start is inside, the end is not.")
class TimeSpan:
    start: datetime = strawberry.field(description="The start, inside the range.")
    end: datetime = strawberry.field(description="The end, outside the range.")


RangeArgument = Annotated[
    TimeRange | None, strawberry.argument("The range; the last 30 days by default.")
]
ZoneArgument = Annotated[TimeZone, strawberry.argument("The time zone of days, weeks and months.")]

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
        return periods.calendar_now(unit, zone, now, offset=given.offset)
    if given.offset:
        raise InvalidInput("Give `date` or `offset`, not both.")
    return periods.calendar(unit, zone, on=given.on)
