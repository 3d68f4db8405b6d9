"""Turns a request's headers and body into raw events, by content type."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ingest.bodies import decoded, parsed
from ingest.events import MAX_BATCH_EVENTS, Code
from ingest.formats.cdevents import is_cdevent, read_cdevent
from ingest.formats.cloudevents import is_binary, is_cloudevent, read_binary, read_cloudevent
from ingest.formats.raw import Raw, Unchecked, rejected
from storage.errors import InvalidInput, LimitExceeded

_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"}) | {
    "application/x-jsonlines",
    "application/jsonlines",
}
_ONE_CLOUDEVENT = "application/cloudevents+json"
_MANY_CLOUDEVENTS = "application/cloudevents-batch+json"
# Tried in this order; an event that none recognises is in the plain format.
_FORMATS = ((is_cloudevent, read_cloudevent), (is_cdevent, read_cdevent))
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})


# Reads the events of headers and an unpacked body.
ReadRequest = Callable[[Mapping[str, str], bytes], list[Unchecked]]


class UnsupportedContentType(InvalidInput):
    """The body's content type or charset is not one this API reads."""

    http_status = 415


def unpacked(headers: Mapping[str, str], body: bytes) -> bytes:
    """Returns a request's body after decompression; raises InvalidInput or TooLarge."""
    return decoded(body, _lower(headers).get("content-encoding", ""))


def read_request(headers: Mapping[str, str], body: bytes) -> list[Unchecked]:
    """Returns the raw events of an unpacked body.

    Raises InvalidInput only if the request as a whole cannot be read.
    """
    headers = _lower(headers)
    kind = _media_type(headers.get("content-type", "application/json"))
    if kind in (_ONE_CLOUDEVENT, _MANY_CLOUDEVENTS):
        return _read_json(body, read_cloudevent)
    if is_binary(headers):
        return [read_binary(headers, body)]
    if kind in _LINES:
        return _read_lines(body)
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return _read_json(body, read_value)
    raise UnsupportedContentType(
        f"The content type {kind[:80]!r} is not supported; use application/json,"
        " application/x-ndjson, application/cloudevents+json or -batch+json."
    )


def is_one_cloudevent(headers: Mapping[str, str]) -> bool:
    """Whether the headers announce a single CloudEvent, structured or binary."""
    headers = _lower(headers)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == _ONE_CLOUDEVENT or (kind != _MANY_CLOUDEVENTS and is_binary(headers))


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def read_value(value: Any) -> Unchecked:
    """Reads one event in whichever format recognises it, else in the plain one."""
    if isinstance(value, dict):
        for recognises, read in _FORMATS:
            if recognises(value):
                return read(value)
    return Raw(value)


def _media_type(content_type: str) -> str:
    kind, _, parameters = content_type.partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip('" ').lower() not in _UTF_8:
            raise UnsupportedContentType("The charset must be UTF-8.")
    return kind.strip().lower()


def _read_json(body: bytes, read: Callable[[Any], Unchecked]) -> list[Unchecked]:
    """Reads an object or an array of objects."""
    value = parsed(body)
    if isinstance(value, list):
        check_batch_size(value)
        return [read(item) for item in value]
    if not isinstance(value, dict):
        raise InvalidInput("The body must be a JSON object or an array of objects.")
    return [read(value)]


def _read_lines(body: bytes) -> list[Unchecked]:
    """Reads NDJSON; skips empty lines, and rejects an unreadable line alone."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    check_batch_size(lines)
    return [_read_line(line) for line in lines]


def _read_line(line: bytes) -> Unchecked:
    try:
        return read_value(parsed(line))
    except InvalidInput as error:
        return rejected(Code.UNREADABLE, error.message)


def check_batch_size(events: Sequence[object]) -> None:
    """Raises LimitExceeded if a request holds too many events."""
    if len(events) > MAX_BATCH_EVENTS:
        raise LimitExceeded(
            f"A request may hold {MAX_BATCH_EVENTS} events; this one has {len(events)}.",
            limit="batch_events",
        )
