"""CloudEvents 1.0 and 0.3, structured, batched and binary, with our JSON or a CDEvent as data."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ingest.aliases import FIELDS, is_word
from ingest.bodies import parsed
from ingest.events import Code, Rejection
from ingest.formats.cdevents import is_cdevent_type, read_cdevent
from ingest.formats.raw import Raw
from ingest.normaliser import FormatDetails
from ingest.times import read_time
from storage.errors import InvalidInput

_VERSIONS = ("1.0", "0.3")
_REQUIRED = ("id", "source", "type")
_HEADER_PREFIX = "ce-"
_HEADERS = frozenset(_HEADER_PREFIX + name for name in ("specversion", *_REQUIRED))
_TIMES = FIELDS["time"]
_PROJECTS = FIELDS["project"]
_DEPLOYMENTS = FIELDS["deployment"]
_ENVELOPE_FIELDS = frozenset((*FIELDS["id"], *FIELDS["type"], *FIELDS["source"], *_TIMES))
_ORIGIN = FormatDetails(
    ids_within_source=True,
    paths={name: name for name in ("id", "source", "time", "type")},
    prefix="data.",
)


def is_cloudevent(value: Mapping[str, Any]) -> bool:
    return "specversion" in value


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether headers, with lower-case names, describe an event whose data is the body."""
    return not _HEADERS.isdisjoint(headers)


def read_cloudevent(value: Any) -> Raw:
    """One event in structured form."""
    if not isinstance(value, dict):
        return Raw(value)
    rejection = _wrong_envelope(value)
    if rejection is not None:
        return Raw.refused(rejection)
    problem = Code.NOT_AN_OBJECT, "must be a JSON object"
    try:
        data = _data(value)
    except (InvalidInput, TypeError, ValueError):
        data, problem = None, (Code.UNREADABLE, "The data is not JSON.")
    document = data if isinstance(data, dict) else {}
    if rejection := _wrong_type(value, document):
        return Raw.refused(rejection)
    if is_cdevent_type(value["type"]):
        return read_cdevent(document, value)
    if not _is_ours(_kind(value, document)):
        message = "The type is none of ours; nothing was stored."
        return Raw.refused(_refusal(value, Code.NOT_A_DEPLOYMENT, message, "type"))
    if not isinstance(data, dict):
        return Raw.refused(_refusal(value, *problem, "data"))
    return Raw(_merged(value, data), _ORIGIN)


def read_binary(headers: Mapping[str, str], body: bytes) -> Raw:
    """One event whose attributes stand in `ce-` headers; headers come with lower-case names."""
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


def _wrong_envelope(value: Mapping[str, Any]) -> Rejection | None:
    if value.get("specversion") is None:
        return _refusal(value, Code.MISSING_FIELD, "specversion is required", "specversion")
    if value["specversion"] not in _VERSIONS:
        message = f"specversion must be {' or '.join(_VERSIONS)}"
        return _refusal(value, Code.INVALID_VALUE, message, "specversion")
    for name in _REQUIRED:
        if not isinstance(value.get(name), str) or not value[name].strip():
            return _refusal(value, Code.MISSING_FIELD, f"{name} is required", name)
    time = value.get("time")
    if time is not None and isinstance(problem := read_time(time), str):
        return _refusal(value, Code.INVALID_TIME, f"time {problem}", "time")
    return None


def _wrong_type(value: Mapping[str, Any], document: Mapping[str, Any]) -> Rejection | None:
    """A CDEvent and the envelope around it bear the same type."""
    outer, context = value["type"], document.get("context")
    inner = context.get("type") if isinstance(context, dict) else None
    if not isinstance(inner, str) or inner.lower() == outer.lower():
        return None
    if not is_cdevent_type(inner) and not is_cdevent_type(outer):
        return None
    message = "context.type contradicts the type of the CloudEvent"
    return _refusal(value, Code.CONFLICTING_FIELDS, message, "context.type")


def _is_ours(kind: object) -> bool:
    """Whether a type means something here; what is no text is refused with the other fields."""
    return not isinstance(kind, str) or is_word(kind)


def _kind(value: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """Our word in the envelope's type, else the data's own type."""
    kind: str = value["type"]
    start = kind.lower().find("deployment.")
    return kind[start:] if start >= 0 else document.get("type") or kind


def _refusal(value: Mapping[str, Any], code: Code, message: str, path: str) -> Rejection:
    shown = value.get("id")
    return Rejection(code, message, path, shown if isinstance(shown, str) else None)


def _data(value: Mapping[str, Any]) -> Any:
    if value.get("data_base64") is not None:
        return parsed(b64decode(value["data_base64"], validate=True))
    data = value.get("data", {})
    if isinstance(data, bytes):
        return parsed(data)
    if isinstance(data, str):  # version 0.3 and some senders write the document as a text
        encoded = value.get("datacontentencoding") == "base64"
        return parsed(b64decode(data, validate=True) if encoded else data.encode())
    return data


def _merged(value: Mapping[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Our fields from the data; the envelope identifies the event and fills what is missing."""
    fields = {name: item for name, item in data.items() if name not in _ENVELOPE_FIELDS}
    fields |= {"id": value["id"], "source": value["source"]}
    if value.get("time") is not None:
        fields["time"] = value["time"]
    else:
        fields |= {name: data[name] for name in _TIMES if name in data}
    fields["type"] = _kind(value, data)
    if value.get("project") is not None and not _given(data, _PROJECTS):
        fields["project"] = value["project"]
    if value.get("subject") is not None and not _given(data, _DEPLOYMENTS):
        fields["deployment"] = value["subject"]
    return fields


def _given(data: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return any(data.get(name) is not None for name in names)
