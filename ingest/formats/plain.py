"""JSON bodies: one event, an array of events, or one event on each line."""

from collections.abc import Callable, Sequence
from typing import Any

from ingest.bodies import parsed
from ingest.events import MAX_BATCH_EVENTS, Code
from ingest.formats.raw import Raw
from storage.errors import InvalidInput, LimitExceeded

# Reads one event of a body.
ReadValue = Callable[[Any], Raw]


def read_json(body: bytes, read: ReadValue) -> list[Raw]:
    """Reads an object or an array of objects."""
    value = parsed(body)
    if isinstance(value, list):
        check_batch_size(value)
        return [read(item) for item in value]
    if not isinstance(value, dict):
        raise InvalidInput("The body must be a JSON object or an array of objects.")
    return [read(value)]


def read_lines(body: bytes, read: ReadValue) -> list[Raw]:
    """Reads NDJSON; skips empty lines, and rejects an unreadable line alone."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    check_batch_size(lines)
    return [_read_line(line, read) for line in lines]


def _read_line(line: bytes, read: ReadValue) -> Raw:
    try:
        return read(parsed(line))
    except InvalidInput as error:
        return Raw.rejected(Code.UNREADABLE, error.message)


def check_batch_size(events: Sequence[object]) -> None:
    """Raises LimitExceeded if a request holds too many events."""
    if len(events) > MAX_BATCH_EVENTS:
        raise LimitExceeded(
            f"A request may hold {MAX_BATCH_EVENTS} events; this one has {len(events)}.",
            limit="batch_events",
        )
