"""Turns a request's headers and body into raw events, by content type."""

from collections.abc import Callable, Mapping
from typing import Any

from ingest.bodies import decoded
from ingest.formats.cdevents import is_cdevent, read_cdevent, read_cdevent_data
from ingest.formats.cloudevents import is_binary, is_cloudevent, read_binary, read_cloudevent
from ingest.formats.plain import read_json, read_lines
from ingest.formats.raw import Raw
from storage.errors import InvalidInput

_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"}) | {
    "application/x-jsonlines",
    "application/jsonlines",
}
_ONE_CLOUDEVENT = "application/cloudevents+json"
_MANY_CLOUDEVENTS = "application/cloudevents-batch+json"
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})


class UnsupportedContentType(InvalidInput):
    """The body's content type or charset is not one this API reads."""

    http_status = 415


def read_request(headers: Mapping[str, str], body: bytes) -> tuple[list[Raw], int]:
    """Returns the raw events of one request, and its size in bytes after decompression.

    Raises InvalidInput only if the request as a whole cannot be read.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    body = decoded(body, headers.get("content-encoding", ""))
    return _read(headers, body), len(body)


def is_one_cloudevent(headers: Mapping[str, str]) -> bool:
    """Whether the headers announce a single CloudEvent, structured or binary."""
    headers = {name.lower(): value for name, value in headers.items()}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == _ONE_CLOUDEVENT or (kind != _MANY_CLOUDEVENTS and is_binary(headers))


def read_value(value: Any) -> Raw:
    """Reads one event in whichever format recognises it, else in the plain one."""
    if isinstance(value, dict):
        for recognises, read in _FORMATS:
            if recognises(value):
                return read(value)
    return Raw(value)


def _read(headers: Mapping[str, str], body: bytes) -> list[Raw]:
    kind = _media_type(headers.get("content-type", "application/json"))
    if kind in (_ONE_CLOUDEVENT, _MANY_CLOUDEVENTS):
        return read_json(body, _read_cloudevent)
    if is_binary(headers):
        return [read_binary(headers, body, read_cdevent_data)]
    if kind in _LINES:
        return read_lines(body, read_value)
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return read_json(body, read_value)
    raise UnsupportedContentType(
        f"The content type {kind[:80]!r} is not supported; use application/json,"
        " application/x-ndjson, application/cloudevents+json or -batch+json."
    )


def _read_cloudevent(value: Any) -> Raw:
    return read_cloudevent(value, read_cdevent_data)


# Tried in this order.
_FORMATS: tuple[tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], Raw]], ...] = (
    (is_cloudevent, _read_cloudevent),
    (is_cdevent, read_cdevent),
)


def _media_type(content_type: str) -> str:
    kind, _, parameters = content_type.partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip('" ').lower() not in _UTF_8:
            raise UnsupportedContentType("The charset must be UTF-8.")
    return kind.strip().lower()
