"""When an event happened, by a clock that may be wrong.

The time is a part of an event's identity, so the time that the event has is kept wherever it can
be: another delivery then has the same. Elsewhere it depends on when the event arrived.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

# A sender's clock cannot rightly be ahead; the minute is for ordinary inaccuracy.
AHEAD = timedelta(minutes=1)
# An envelope may have waited on its way, so only a clock far behind is corrected.
BEHIND = timedelta(hours=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,12})?\s*([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
_NUMBER = re.compile(r"\d{1,16}(\.\d{1,12})?", re.ASCII)
# Later numbers are milliseconds, which some SDKs send by mistake.
_LAST_SECOND = 1e11


@dataclass(frozen=True, slots=True)
class EventTime:
    """When an event happened; `is_assigned` if that depends on when it arrived."""

    at: datetime
    is_assigned: bool = False


def event_time(
    timestamp: datetime | None, sent_at: datetime | None, received_at: datetime
) -> EventTime:
    """Corrects the time of a sender whose clock is wrong.

    A clock is wrong if it is ahead when the envelope is sent, or far behind. Without a time the
    event happened when it was sent, else when it arrived. No event is of the future.
    """
    drift = timedelta(0) if sent_at is None else received_at - sent_at
    is_wrong = drift < -AHEAD or drift > BEHIND
    if timestamp is None:
        known = sent_at if sent_at is not None and not is_wrong else received_at
        return EventTime(min(known, received_at), is_assigned=True)
    if is_wrong:
        return EventTime(_earlier(timestamp, drift, received_at), is_assigned=True)
    if timestamp > received_at + AHEAD:
        return EventTime(received_at, is_assigned=True)
    return EventTime(timestamp)


def _earlier(timestamp: datetime, drift: timedelta, received_at: datetime) -> datetime:
    try:
        return min(timestamp + drift, received_at)
    except OverflowError:
        return received_at


def read_time(value: Any) -> datetime | None:
    """The time of Unix seconds or of ISO text, which is of UTC where it has no zone; else None."""
    if isinstance(value, str):
        if _NUMBER.fullmatch(value.strip()):
            value = float(value)
        else:
            return _iso_time(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = value / 1000 if value > _LAST_SECOND else value
        return _EPOCH + timedelta(seconds=seconds) if seconds > 0 else None
    except (OverflowError, ValueError):  # also of what is no number
        return None


def _iso_time(text: str) -> datetime | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    try:
        time = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{_offset(zone)}")
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> str:
    return "+00:00" if zone is None or zone in "Zz" else zone


def sent_at(header: Mapping[str, Any]) -> datetime | None:
    """When the envelope was sent, by the sender's clock."""
    return read_time(header.get("sent_at"))
