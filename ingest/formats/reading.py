"""From a request's headers and body to raw events, by content type."""

from collections.abc import Mapping

from ingest.bodies import decoded
from ingest.formats.cloudevents import read_binary
from ingest.formats.plain import read_json, read_lines
from ingest.formats.raw import Raw
from storage.errors import InvalidInput

_LINES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"}) | {
    "application/x-jsonlines",
    "application/jsonlines",
}
_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii"})


class UnsupportedMediaType(InvalidInput):
    http_status = 415


def read_request(headers: Mapping[str, str], body: bytes) -> tuple[list[Raw], int]:
    """The raw events of one request, and its size after decompression.

    Raises only for what spoils the request as a whole.
    """
    headers = {name.lower(): value for name, value in headers.items()}
    body = decoded(body, headers.get("content-encoding", ""))
    return _read(headers, body), len(body)


def _read(headers: Mapping[str, str], body: bytes) -> list[Raw]:
    kind = _media_type(headers.get("content-type", "application/json"))
    if "ce-specversion" in headers and not kind.startswith("application/cloudevents"):
        return [read_binary(headers, body)]
    if kind in _LINES:
        return read_lines(body)
    if kind in ("application/json", "text/json") or kind.endswith("+json"):
        return read_json(body)
    raise UnsupportedMediaType(
        f"The content type {kind[:80]!r} is not supported; use application/json,"
        " application/x-ndjson, application/cloudevents+json or -batch+json."
    )


def _media_type(content_type: str) -> str:
    kind, _, parameters = content_type.partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip('" ').lower() not in _UTF_8:
            raise UnsupportedMediaType("The charset must be UTF-8.")
    return kind.strip().lower()
