"""Logs of OpenTelemetry: the records of an OTLP request as events of log lines.

JSON and protobuf are read by the maintained parsers. JSON has the ids of traces and spans in hex,
where the parser expects base64; so what it made of them is encoded back.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import islice
from json import JSONDecodeError
from typing import Any, NamedTuple

import orjson
from google.protobuf.json_format import Parse, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from ingest.events import MAX_ATTRIBUTES_BYTES
from ingest.formats.raw import Raw, Unchecked
from ingest.formats.reading import UnsupportedContentType, check_batch_size
from ingest.wire.kinds import plain_word
from ingest.wire.log_lines import LEVELS
from storage.errors import InvalidInput
from storage.facts.log_lines import Level

PROTOBUF, JSON = "application/x-protobuf", "application/json"

# Fields of events, and the attributes of resources that fill them, the first that is there.
_NAMED = {
    "project": ("project",),
    "environment": ("deployment.environment.name", "deployment.environment"),
    "release": ("service.version",),
    "function": ("faas.name",),
    "deployment": ("deployment.id",),
}
_SERVICE = "service.name"
# Attributes of resources that say nothing of what happened.
_NOT_TOLD = ("telemetry.", "process.")
# Of a resource and of a record, as by default in OpenTelemetry. The field has what that leaves out.
MAX_ATTRIBUTES = 128
LEFT_OUT = "otel.dropped_attributes_count"
# The fields of a resource are stored with each of its records.
MAX_RESOURCE_BYTES = MAX_ATTRIBUTES_BYTES // 4
_MAX_TEXT = 4_000
_MAX_NAME = 1_000  # longer than any name that is accepted, and read with each record
_MAX_DEPTH = 6
_CUT = "[cut]"
_ROOM_FOR_LEFT_OUT = 64
_LEVELS_BY_NUMBER = 4  # OpenTelemetry has four numbers for each level
_FIELD = r"Failed to parse (\w+) field: "
_PLACE = re.compile(rf"(?:{_FIELD})*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Fitted(NamedTuple):
    """Values by name within a limit of bytes in JSON, and the number of those left out."""

    values: Mapping[str, Any]
    size_bytes: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Source:
    """What the records of a resource, or of one scope of it, have in common."""

    names: Mapping[str, str]
    fields: _Fitted
    digest: bytes

    def scoped(self, scope: str) -> _Source:
        """The same with the scope as the logger."""
        if not scope:
            return self
        names = {**self.names, "logger": scope[:_MAX_NAME]}
        return _Source(names, self.fields, _digest(self.digest + scope.encode()))


def read_logs(headers: Mapping[str, str], body: bytes) -> list[Unchecked]:
    """Returns an event for each record of an ExportLogsServiceRequest.

    Raises InvalidInput if the request as a whole cannot be read.
    """
    request, id_text = _parsed(media_type(headers), body)
    records = [
        (source, record)
        for of_resource in request.resource_logs
        for resource in [_source(of_resource.resource)]
        for of_scope in of_resource.scope_logs
        for source in [resource.scoped(of_scope.scope.name)]
        for record in of_scope.log_records
    ]
    check_batch_size(records)
    seen: Counter[str] = Counter()
    return [Raw(_event(source, record, id_text, seen)) for source, record in records]


def media_type(headers: Mapping[str, str]) -> str:
    """The content type; raises UnsupportedContentType for one that OTLP does not have."""
    given = next((headers[name] for name in headers if name.lower() == "content-type"), "")
    kind = given.partition(";")[0].strip().lower()
    if kind not in (JSON, PROTOBUF):
        raise UnsupportedContentType(
            f"The content type {kind[:80]!r} is not supported; use {JSON} or {PROTOBUF}."
        )
    return kind


def _parsed(kind: str, body: bytes) -> tuple[ExportLogsServiceRequest, Callable[[bytes], str]]:
    """The request, and what makes a text of an id."""
    request = ExportLogsServiceRequest()
    try:
        if kind == PROTOBUF:
            request.ParseFromString(body)
            return request, bytes.hex
        if not body.lstrip().startswith(b"{"):  # the parser takes an empty list for a request
            raise ParseError("it is no object")
        Parse(body, request, ignore_unknown_fields=True)
    except (DecodeError, ParseError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"The body is no ExportLogsServiceRequest{_place(error)}.") from None
    return request, lambda id: b64encode(id).decode()


def _place(error: Exception) -> str:
    """Where the body is wrong, without the words of the parser: they repeat what is there."""
    if isinstance(error.__cause__, JSONDecodeError):
        return f": it is no JSON from character {error.__cause__.pos} on"
    told = str(error)
    begins = _PLACE.match(told)
    names = re.findall(_FIELD, told[: begins.end()] if begins else "")
    return f": {'.'.join(names)} cannot be read" if names else ""


def _source(resource: Resource) -> _Source:
    values = _values(resource.attributes)
    digest = _digest(orjson.dumps(values, option=orjson.OPT_SORT_KEYS))
    names: dict[str, str] = {}
    for field, keys in _NAMED.items():
        found = [key for key in keys if isinstance(values.get(key), str)]
        if found:
            names[field] = values[found[0]][:_MAX_NAME]
        for key in found:
            del values[key]
    if service := values.get(_SERVICE):
        names["logger"] = str(service)[:_MAX_NAME]
    told = {name: value for name, value in values.items() if not name.startswith(_NOT_TOLD)}
    fields = _fitted(told, MAX_RESOURCE_BYTES, resource.dropped_attributes_count)
    return _Source(names, fields, digest)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=16).digest()


def _event(
    source: _Source, record: LogRecord, id_text: Callable[[bytes], str], seen: Counter[str]
) -> dict[str, Any]:
    digest = _digest(source.digest + record.SerializeToString(deterministic=True)).hex()
    seen[digest] += 1
    event = {
        "type": "log.line",
        # The same if the request is sent again, and another one for an equal record beside it.
        "id": f"otlp-{digest}-{seen[digest]}",
        **source.names,
        "level": _level(record),
        "message": _message(record),
        "fields": _fields(source.fields, record),
    }
    if nanoseconds := record.time_unix_nano or record.observed_time_unix_nano:
        event["time"] = (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).isoformat()
    if record.trace_id:
        event["traceId"] = id_text(record.trace_id)
    if record.span_id:
        event["spanId"] = id_text(record.span_id)
    return event


def _level(record: LogRecord) -> str:
    if 0 < record.severity_number <= _LEVELS_BY_NUMBER * len(Level):
        number = (record.severity_number - 1) // _LEVELS_BY_NUMBER + 1
    else:
        number = LEVELS.get(plain_word(record.severity_text), Level.INFO)
    return Level(number).name.lower()


def _message(record: LogRecord) -> str:
    body = _value(record.body)
    if body is None:
        return record.event_name
    return body if isinstance(body, str) else orjson.dumps(body).decode()


def _values(attributes: Sequence[KeyValue], depth: int = _MAX_DEPTH) -> dict[str, Any]:
    return {each.key: _value(each.value, depth) for each in attributes}


def _value(value: AnyValue, depth: int = _MAX_DEPTH) -> Any:
    kind = value.WhichOneof("value")
    if kind == "kvlist_value":
        return _values(value.kvlist_value.values, depth - 1) if depth else _CUT
    if kind == "array_value":
        return [_value(each, depth - 1) for each in value.array_value.values] if depth else _CUT
    if kind == "bytes_value":
        return b64encode(value.bytes_value).decode()
    if kind == "double_value" and not abs(value.double_value) < float("inf"):
        return str(value.double_value)
    return None if kind is None else getattr(value, kind)


def _fields(of_resource: _Fitted, record: LogRecord) -> dict[str, Any]:
    room = MAX_ATTRIBUTES_BYTES - _ROOM_FOR_LEFT_OUT - of_resource.size_bytes
    own = _fitted(_values(record.attributes), room, record.dropped_attributes_count)
    left_out = of_resource.left_out + own.left_out
    told = {LEFT_OUT: left_out} if left_out else {}
    return {**of_resource.values, **own.values, **told}


def _fitted(values: Mapping[str, Any], limit_bytes: int, left_out: int = 0) -> _Fitted:
    """The first MAX_ATTRIBUTES of the values within a limit of bytes; so many were left out before.

    Long texts are cut, then the largest values replaced; the last are left out if that is not
    enough.
    """
    kept = {name: _shortened(value) for name, value in islice(values.items(), MAX_ATTRIBUTES)}
    sizes = {name: _size(name, value) for name, value in kept.items()}
    total = sum(sizes.values())
    for name in sorted(sizes, key=lambda name: -sizes[name]) if total > limit_bytes else ():
        if total <= limit_bytes:
            break
        kept[name] = _CUT
        total -= sizes[name] - _size(name, _CUT)
    while total > limit_bytes:
        total -= _size(*kept.popitem())
    return _Fitted(kept, total, left_out + len(values) - len(kept))


def _size(name: str, value: Any) -> int:
    """The bytes of a value in a JSON object."""
    return len(orjson.dumps({name: value}))


def _shortened(value: Any) -> Any:
    is_long = isinstance(value, str) and len(value) > _MAX_TEXT
    return f"{value[:_MAX_TEXT]} {_CUT}" if is_long else value
