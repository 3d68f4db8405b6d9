"""Custom scalars: how they are read and written."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, NewType, TypeVar
from uuid import UUID

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from analytics import periods, zones
from storage.errors import InvalidInput

TimeZone = NewType("TimeZone", str)
Json = NewType("Json", object)
Long = NewType("Long", int)
Read = TypeVar("Read")

MAX_TEXT = 64


def _text(value: Any, scalar: str, example: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise GraphQLError(f"{scalar} expects a text such as {example!r}.")
    return value


def write_date_time(value: datetime | str) -> str:
    """Writes RFC 3339 in UTC; the times of a list are text already (storage.queries.times)."""
    if isinstance(value, str):
        return value
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    # Several times as fast as isoformat(), with the same text except for the Z.
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)[1:-1].decode()


def _reader(scalar: str, example: str, parse: Callable[[str], Read]) -> Callable[[Any], Read]:
    """Makes the function that reads a scalar, which raises GraphQLError for a wrong value."""

    def read(value: Any) -> Read:
        text = _text(value, scalar, example)
        try:
            return parse(text)
        except InvalidInput as error:
            raise GraphQLError(f"{scalar}: {error}") from None
        except (ValueError, OverflowError):
            raise GraphQLError(f"{scalar} expects a text such as {example!r}.") from None

    return read


def _instant(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise GraphQLError(
            "DateTime needs an offset: write 2026-01-31T12:00:00Z or 2026-01-31T13:00:00+01:00."
        )
    return parsed.astimezone(UTC)


def _zone(name: str) -> str:
    zones.zone_info(name)
    return name


read_date_time = _reader("DateTime", "2026-01-31T12:00:00Z", _instant)
read_date = _reader("Date", "2026-01-31", date.fromisoformat)
read_duration = _reader("Duration", "P30D", periods.Duration.parse)
read_time_zone = _reader("TimeZone", "Europe/Berlin", _zone)
read_uuid = _reader("UUID", "123e4567-e89b-12d3-a456-426614174000", UUID)


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description=(
            "A time: ISO 8601 with an offset, such as 2026-01-31T12:00:00Z. Responses are in "
            "UTC; a time without an offset is refused."
        ),
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=write_date_time,
        parse_value=read_date_time,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A date: ISO 8601, such as 2026-01-31.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=date.isoformat,
        parse_value=read_date,
    ),
    periods.Duration: strawberry.scalar(
        name="Duration",
        description=(
            "A duration: ISO 8601, such as PT24H, P7D, P1M or P1DT12H. Days and months follow "
            "the calendar of the time zone in the request."
        ),
        specified_by_url="https://www.iso.org/iso-8601-date-and-time-format.html",
        serialize=str,
        parse_value=read_duration,
    ),
    TimeZone: strawberry.scalar(
        name="TimeZone",
        description="An IANA time zone, such as UTC, Europe/Berlin or Asia/Kolkata.",
        specified_by_url="https://www.iana.org/time-zones",
        serialize=str,
        parse_value=read_time_zone,
    ),
    UUID: strawberry.scalar(
        name="UUID",
        description="A UUID in lower case, such as 123e4567-e89b-12d3-a456-426614174000.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc9562",
        serialize=str,
        parse_value=read_uuid,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="A whole number that may exceed 32 bits, as a JSON number.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259#section-6",
        serialize=int,
        parse_value=int,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
