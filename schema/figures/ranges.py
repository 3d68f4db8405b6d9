"""Time ranges: how a client says from when to when."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from analytics import periods
from analytics.periods import Duration
from resolvers.context import Context
from schema.enums import CalendarUnit
from schema.scalars import TimeZone
from storage.errors import InvalidInput


@strawberry.input(description="From one instant up to, not including, another.")
class DateTimeRange:
    start: datetime = strawberry.field(description="The first instant inside.")
    end: datetime = strawberry.field(description="The first instant no longer inside.")


@strawberry.input(
    description="A unit of the calendar in the time zone in use: the current one by default."
)
class CalendarRange:
    unit: CalendarUnit = strawberry.field(description="Which unit.")
    on: date | None = strawberry.field(
        name="date", default=None, description="A day inside the unit; today when left out."
    )
    offset: int = strawberry.field(
        default=0,
        description="So many units away from the current one: -1 is the one before. Not with date.",
    )


@strawberry.input(
    one_of=True,
    description="A half-open range of time, said in exactly one of three ways.",
)
class TimeRange:
    last: strawberry.Maybe[Duration] = strawberry.field(
        description="So much time up to the end of the current minute."
    )
    between: strawberry.Maybe[DateTimeRange] = strawberry.field(
        description="From one instant up to another."
    )
    calendar: strawberry.Maybe[CalendarRange] = strawberry.field(
        description="A day, week, month, quarter or year of the calendar."
    )


@strawberry.type(description="The range that was counted: half-open.")
class TimeSpan:
    start: datetime = strawberry.field(description="The first instant inside.")
    end: datetime = strawberry.field(description="The first instant no longer inside.")


RangeArgument = Annotated[
    TimeRange | None, strawberry.argument(description="From when to when: the last 30 days.")
]
ZoneArgument = Annotated[
    TimeZone,
    strawberry.argument(description="The time zone whose days, weeks and months are meant."),
]

DEFAULT_RANGE = Duration(days=30)
UTC = TimeZone("UTC")


def to_range(context: Context, given: TimeRange | None, zone: str) -> periods.Range:
    """The range of the analytics that a client means; what is wrong with it names the argument."""
    try:
        return _range(given, zone, context.now)
    except InvalidInput as error:
        raise InvalidInput(error.message, path="range") from None
    except OverflowError:
        raise InvalidInput("The range reaches beyond the calendar.", path="range") from None


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
        raise InvalidInput("Give date or offset, not both.")
    return periods.calendar(unit, zone, on=given.on)
