"""Reads event times: RFC 3339 with a zone, or whole epoch seconds or milliseconds."""

import re
from datetime import UTC, datetime, timedelta

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:(\d\d)(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII
).fullmatch

MAX_DURATION = timedelta(days=366)

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# From 2001 to 2286 seconds have ten digits and milliseconds thirteen, so they cannot be confused.
_SECONDS = range(10**9, 10**10)
_MILLISECONDS = range(10**12, 10**13)


def read_time(value: object) -> datetime | str:
    """Returns the time in UTC, or the message that the value is invalid."""
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _read_epoch(value)
    return "must be an RFC 3339 text with a zone, such as 2026-11-20T09:30:00Z"


def duration_us(started: datetime, ended: datetime) -> int | None:
    """The time between, or None if it is negative or implausibly long."""
    between = ended - started
    return between // _MICROSECOND if timedelta(0) <= between <= MAX_DURATION else None


def _read_text(text: str) -> datetime | str:
    text = text.strip()
    match = _RFC_3339(text)
    if match is None:
        return "is not an RFC 3339 time such as 2026-11-20T09:30:00Z"
    if match[3] is None:
        return "has no zone; end it with Z or an offset such as +02:00"
    try:
        if match[1] == "60":  # a leap second counts as the second after
            start, end = match.span(1)
            earlier = datetime.fromisoformat(text[:start] + "59" + text[end:].upper())
            return (earlier + timedelta(seconds=1)).astimezone(UTC)
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return "is not a time that exists"


def _read_epoch(number: int) -> datetime | str:
    if number in _SECONDS:
        return _EPOCH + timedelta(seconds=number)
    if number in _MILLISECONDS:
        return _EPOCH + timedelta(milliseconds=number)
    return "is a number that is neither epoch seconds nor epoch milliseconds"
