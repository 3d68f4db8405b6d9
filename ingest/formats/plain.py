"""JSON bodies: one event, an array of events, or one event a line."""

from typing import Any

from ingest.bodies import parsed
from ingest.events import MAX_BATCH_EVENTS, Code, Rejection
from ingest.formats.cdevents import is_cdevent, read_cdevent
from ingest.formats.cloudevents import is_cloudevent, read_cloudevent
from ingest.formats.raw import Raw
from storage.errors import InvalidInput, LimitExceeded


def read_json(body: bytes) -> list[Raw]:
    """An object or an array."""
    value = parsed(body)
    if isinstance(value, list):
        return [read_value(item) for item in limited(value)]
    if not isinstance(value, dict):
        raise InvalidInput("The body must be a JSON object or an array of objects.")
    return [read_value(value)]


def read_lines(body: bytes) -> list[Raw]:
    """NDJSON; empty lines are skipped, an unreadable line is refused alone."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    return [_read_line(line) for line in limited(lines)]


def _read_line(line: bytes) -> Raw:
    try:
        return read_value(parsed(line))
    except InvalidInput as error:
        return Raw.refused(Rejection(Code.UNREADABLE, error.message))


def read_value(value: Any) -> Raw:
    """One event; CloudEvents and bare CDEvents are recognised among plain ones."""
    if isinstance(value, dict):
        if is_cloudevent(value):
            return read_cloudevent(value)
        if is_cdevent(value):
            return read_cdevent(value, {})
    return Raw(value)


def limited(values: list[Any]) -> list[Any]:
    """The values, if they are few enough for one request."""
    if len(values) > MAX_BATCH_EVENTS:
        raise LimitExceeded(
            f"A request may hold {MAX_BATCH_EVENTS} events; this one has {len(values)}.",
            limit="batch_events",
        )
    return values
