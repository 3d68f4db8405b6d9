"""Numbers and times as people read them: rounded, but never so that two numbers look alike."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from alerts.measures import measure_called
from analytics.measures import Unit

DIGITS = 4  # of a number in a text; the message itself has all of them

_LONGEST_NUMBER = 20  # digits before or after the point; longer ones have an exponent

_UNITS: Mapping[Unit, str] = {
    Unit.COUNT: "",
    Unit.MILLISECONDS: " ms",
    Unit.DAYS: " days",
    Unit.PER_WEEK: " per week",
    Unit.PER_DAY: " per day",
    Unit.PER_HOUR: " per hour",
    Unit.PER_MINUTE: " per minute",
    Unit.PER_SECOND: " per second",
    Unit.OF_METRIC: "",
}


def number_text(value: float | None, measure: str | None, digits: int = DIGITS) -> str:
    """A number as people read it, with its unit and at most so many significant digits."""
    if value is None:
        return "no data"
    unit = _unit(measure)
    exact = Decimal(repr(value))
    if unit is Unit.FRACTION:
        return f"{_plain(exact * 100, digits)} %"
    return f"{_plain(exact, digits)}{_UNITS[unit]}"


def pair_text(value: float | None, bound: float | None, measure: str | None) -> tuple[str, str]:
    """A value and its bound as texts, with so many digits that different ones look different."""
    for digits in (DIGITS, 2 * DIGITS, 17):
        texts = number_text(value, measure, digits), number_text(bound, measure, digits)
        if texts[0] != texts[1] or value == bound:
            break
    return texts


def time_text(at: datetime) -> str:
    """A time in UTC, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _plain(number: Decimal, digits: int) -> str:
    if abs(number.adjusted()) > _LONGEST_NUMBER:
        return f"{number:.{digits - 1}e}"
    rounded = number.normalize()
    if len(rounded.as_tuple().digits) > digits:
        places = digits - 1 - rounded.adjusted()
        rounded = round(number, max(places, 0)).normalize()
    return f"{rounded:,f}"


def _unit(measure: str | None) -> Unit:
    found = measure_called(measure or "")
    return found.unit if found else Unit.COUNT
