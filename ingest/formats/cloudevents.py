"""CloudEvents 1.0 and 0.3: structured, batched and binary."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ingest.bodies import parsed
from ingest.events import Code, Rejection
from ingest.formats.cdevents import read_cdevent_data
from ingest.formats.raw import FormatDetails, Raw, Unchecked, rejected
from ingest.times import read_time
from ingest.wire import EventKind, event_kind
from ingest.wire.kinds import is_blank
from ingest.wire.wire import ID_FIELD, PROJECT_FIELD, SOURCE_FIELD, TIME_FIELD, TYPE_FIELD, Field
from storage.errors import InvalidInput

_VERSIONS = ("1.0", "0.3")
_REQUIRED = ("id", "source", "type")
_HEADER_PREFIX = "ce-"
_HEADERS = frozenset(_HEADER_PREFIX + name for name in ("specversion", *_REQUIRED))
_ENVELOPE_FIELDS = frozenset(
    name for field in (ID_FIELD, TYPE_FIELD, SOURCE_FIELD, TIME_FIELD) for name in field.names
)
_DETAILS = FormatDetails(
    ids_within_source=True,
    paths={name: name for name in ("id", "source", "time", "type")},
    prefix="data.",
)


def is_cloudevent(value: Mapping[str, Any]) -> bool:
    return "specversion" in value


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether headers, with lower-case names, describe an event whose data is the body."""
    return not _HEADERS.isdisjoint(headers)


def read_cloudevent(value: Any) -> Unchecked:
    """Reads one event in structured form, whose data is a CDEvent or a plain event."""
    if not isinstance(value, dict):
        return Raw(value)
    if rejection := _check_envelope(value):
        return rejection
    problem = Code.NOT_AN_OBJECT, "must be a JSON object"
    try:
        data = _data(value)
    except (InvalidInput, TypeError, ValueError):
        data, problem = None, (Code.UNREADABLE, "The data is not JSON.")
    document = data if isinstance(data, dict) else {}
    if (raw := read_cdevent_data(document, value)) is not None:
        return raw
    type_ = _type(value, document)
    kind = event_kind(type_) if isinstance(type_, str) else None
    if kind is None and isinstance(type_, str):  # the normaliser rejects other types
        message = "The type is not a known event type; nothing was stored."
        return rejected(Code.NOT_RELEVANT, message, "type", value["id"])
    if not isinstance(data, dict):
        return rejected(*problem, "data", value["id"])
    return Raw(_merged(value, data, type_, kind), _DETAILS)


def read_binary(headers: Mapping[str, str], body: bytes) -> Unchecked:
    """Reads one event whose attributes are `ce-` headers; header names are in lower case."""
    envelope: dict[str, Any] = {
        name.removeprefix(_HEADER_PREFIX): _decoded(value)
        for name, value in headers.items()
        if name.startswith(_HEADER_PREFIX)
    }
    return read_cloudevent(envelope | {"data": body if body.strip() else {}})


def _decoded(value: str) -> str:
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('\\"', '"')
    return unquote(text)


def _check_envelope(value: Mapping[str, Any]) -> Rejection | None:
    """Returns a rejection if a required attribute is missing or wrong."""
    shown = value.get("id")
    if value.get("specversion") is None:
        return rejected(Code.MISSING_FIELD, "specversion is required", "specversion", shown)
    if value["specversion"] not in _VERSIONS:
        message = f"specversion must be {' or '.join(_VERSIONS)}"
        return rejected(Code.INVALID_VALUE, message, "specversion", shown)
    for name in _REQUIRED:
        if not isinstance(value.get(name), str) or not value[name].strip():
            return rejected(Code.MISSING_FIELD, f"{name} is required", name, shown)
    time = value.get("time")
    if time is not None and isinstance(problem := read_time(time), str):
        return rejected(Code.INVALID_TIME, f"time {problem}", "time", shown)
    return None


def _type(value: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """The type at the end of the envelope's, else the data's own type."""
    given: str = value["type"]
    known = ".".join(given.split(".")[-2:])
    return known if event_kind(known) else document.get("type") or given


def _data(value: Mapping[str, Any]) -> Any:
    if value.get("data_base64") is not None:
        return parsed(b64decode(value["data_base64"], validate=True))
    data = value.get("data", {})
    if isinstance(data, bytes):
        return parsed(data)
    if isinstance(data, str):  # version 0.3 and some senders write the document as a string
        encoded = value.get("datacontentencoding") == "base64"
        return parsed(b64decode(data, validate=True) if encoded else data.encode())
    return data


def _merged(
    value: Mapping[str, Any], data: dict[str, Any], type_: Any, kind: EventKind | None
) -> dict[str, Any]:
    """The fields of the data; the envelope identifies the event and fills in missing fields."""
    fields = {name: item for name, item in data.items() if name not in _ENVELOPE_FIELDS}
    fields |= {"id": value["id"], "source": value["source"], "type": type_}
    if value.get("time") is not None:
        fields["time"] = value["time"]
    else:
        fields |= {name: data[name] for name in TIME_FIELD.names if name in data}
    if value.get("project") is not None and not _given(data, PROJECT_FIELD):
        fields["project"] = value["project"]
    if kind and value.get("subject") is not None and not _given(data, kind.wire.subject):
        fields[kind.wire.subject.name] = value["subject"]
    return fields


def _given(data: Mapping[str, Any], field: Field) -> bool:
    return any(not is_blank(data.get(name)) for name in field.names)
