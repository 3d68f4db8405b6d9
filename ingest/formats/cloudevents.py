"""CloudEvents 1.0 and 0.3, structured, batched and binary, with our JSON or a CDEvent as data."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ingest.aliases import FIELDS
from ingest.bodies import parsed
from ingest.events import Code, Rejection
from ingest.formats.cdevents import is_cdevent_type, read_cdevent
from ingest.formats.raw import Raw
from ingest.normaliser import Origin
from storage.errors import InvalidInput

_VERSIONS = ("1.0", "0.3")
_REQUIRED = ("id", "source", "type")
_HEADER_PREFIX = "ce-"
_TIMES = FIELDS["time"]
_PROJECTS = FIELDS["project"]
_DEPLOYMENTS = FIELDS["deployment"]
_ENVELOPE_FIELDS = frozenset((*FIELDS["id"], *FIELDS["type"], *FIELDS["source"], *_TIMES))
_ORIGIN = Origin(
    ids_within_source=True,
    paths={name: name for name in ("id", "source", "time", "type")},
    prefix="data.",
)


def is_cloudevent(value: Mapping[str, Any]) -> bool:
    return "specversion" in value


def read_cloudevent(value: Mapping[str, Any]) -> Raw:
    """One event in structured form."""
    rejection = _wrong_envelope(value)
    if rejection is not None:
        return Raw.refused(rejection)
    try:
        data = _data(value)
    except (InvalidInput, TypeError, ValueError):
        return Raw.refused(_refusal(value, Code.UNREADABLE, "The data is not JSON.", "data"))
    if is_cdevent_type(value["type"]):
        return read_cdevent(data if isinstance(data, dict) else {}, value)
    if not isinstance(data, dict):
        return Raw.refused(_refusal(value, Code.NOT_AN_OBJECT, "must be a JSON object", "data"))
    return Raw(_merged(value, data), _ORIGIN)


def read_binary(headers: Mapping[str, str], body: bytes) -> Raw:
    """One event whose attributes stand in `ce-` headers; headers come with lower-case names."""
    envelope: dict[str, Any] = {
        name.removeprefix(_HEADER_PREFIX): _decoded(value)
        for name, value in headers.items()
        if name.startswith(_HEADER_PREFIX)
    }
    try:
        data = parsed(body) if body.strip() else {}
    except InvalidInput as error:
        return Raw.refused(_refusal(envelope, Code.UNREADABLE, error.message, "data"))
    return read_cloudevent(envelope | {"data": data})


def _decoded(value: str) -> str:
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('\\"', '"')
    return unquote(text)


def _wrong_envelope(value: Mapping[str, Any]) -> Rejection | None:
    if value["specversion"] not in _VERSIONS:
        message = "specversion must be 1.0"
        return _refusal(value, Code.INVALID_VALUE, message, "specversion")
    for name in _REQUIRED:
        if not isinstance(value.get(name), str) or not value[name].strip():
            return _refusal(value, Code.MISSING_FIELD, f"{name} is required", name)
    return None


def _refusal(value: Mapping[str, Any], code: Code, message: str, path: str) -> Rejection:
    shown = value.get("id")
    return Rejection(code, message, path, shown if isinstance(shown, str) else None)


def _data(value: Mapping[str, Any]) -> Any:
    if value.get("data_base64") is not None:
        return parsed(b64decode(value["data_base64"], validate=True))
    data = value.get("data", {})
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
    kind = value["type"]
    start = kind.find("deployment.")
    fields["type"] = kind[start:] if start >= 0 else data.get("type", kind)
    if value.get("project") is not None and not _given(data, _PROJECTS):
        fields["project"] = value["project"]
    if value.get("subject") is not None and not _given(data, _DEPLOYMENTS):
        fields["deployment"] = value["subject"]
    return fields


def _given(data: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return any(data.get(name) is not None for name in names)
