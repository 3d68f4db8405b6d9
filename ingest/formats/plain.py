"""JSON bodies: one event, an array of events, or one event a line."""

from collections.abc import Callable
from typing import Any

from ingest.bodies import parsed
from ingest.events import MAX_BATCH_EVENTS, Code, Rejection
from ingest.formats.raw import Raw
from storage.errors import InvalidInput, LimitExceeded

# What reads one event of a body.
ReadValue = Callable[[Any], Raw]


def read_json(body: bytes, read: ReadValue) -> list[Raw]:
    """An object or an array."""
    value = parsed(body)
    if isinstance(value, list):
        return [read(item) for item in limited(value)]
    if not isinstance(value, dict):
        raise InvalidInput("The body must be a JSON object or an array of objects.")
    return [read(value)]


def read_lines(body: bytes, read: ReadValue) -> list[Raw]:
    """NDJSON; empty lines are skipped, an unreadable line is refused alone."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    return [_read_line(line, read) for line in limited(lines)]


def _read_line(line: bytes, read: ReadValue) -> Raw:
    try:
        return read(parsed(line))
    except InvalidInput as error:
        return Raw.refused(Rejection(Code.UNREADABLE, error.message))


def limited(values: list[Any]) -> list[Any]:
    """The values, if they are few enough for one request."""
    if len(values) > MAX_BATCH_EVENTS:
        raise LimitExceeded(
            f"A request may hold {MAX_BATCH_EVENTS} events; this one has {len(values)}.",
            limit="batch_events",
        )
    return values
