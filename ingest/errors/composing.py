"""Composes the body of an occurrence from the fields of an event, in the shape of Sentry's SDKs.

The shape is described at https://develop.sentry.dev/sdk/event-payloads/. What the event itself says
wins over its payload.
"""

from collections.abc import Mapping
from typing import Any

from ingest.errors.stack_texts import frames_of_text
from ingest.events import Event
from storage.dimensions import ENVIRONMENT, ERROR_TYPE

_MAX_TEXT_LENGTH = 300


def body_of(event: Event) -> dict[str, Any]:
    """The body of an error event, unscrubbed."""
    given: Mapping[str, Any] = event.content
    body = dict(given["payload"] or {})
    _set(body, "release", event.value("release"))
    _set(body, "environment", event.name(ENVIRONMENT))
    _set(body, "transaction", given["culprit"])
    _set(body, "fingerprint", given["fingerprint"] and list(given["fingerprint"]))
    if given["user"]:
        body["user"] = {**_object(body.get("user")), "id": given["user"]}
    _merge(body, "tags", given["tags"])
    _merge(body, "extra", given["attributes"])
    _tell(body, event.name(ERROR_TYPE), given["message"], given["stack_trace"])
    return body


def _tell(body: dict[str, Any], kind: str | None, message: str | None, stack: str | None) -> None:
    """Puts in the exception, or the message if there is no type and no stack."""
    values = frames_of_text(stack) if stack else []
    if not values and not kind:
        _set(body, "message", message)
        if stack:
            _merge(body, "extra", {"stackTrace": stack})
        return
    if not values and message is None and "exception" in body:
        return  # the payload tells more
    last = dict(values[-1]) if values else {}
    _set(last, "type", kind)
    _set(last, "value", message)
    body["exception"] = {"values": [*values[:-1], last]}
    if stack and not values:
        _merge(body, "extra", {"stackTrace": stack})


def user_of(body: Mapping[str, Any]) -> str | None:
    """What identifies the user: the id, else the name, the address or the IP address."""
    user = _object(body.get("user"))
    for name in ("id", "username", "email", "ip_address"):
        value = user.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "{{auto}}":
            return str(value)[:_MAX_TEXT_LENGTH] or None
    return None


def tag_of(body: Mapping[str, Any], name: str) -> str | None:
    """A tag's value; tags are an object or a list of pairs."""
    tags = body.get("tags")
    pairs = tags.items() if isinstance(tags, dict) else tags if isinstance(tags, list) else ()
    for pair in pairs:
        if isinstance(pair, list | tuple) and len(pair) == 2 and pair[0] == name:
            value = pair[1]
            return value.strip()[:_MAX_TEXT_LENGTH] or None if isinstance(value, str) else None
    return None


def _set(body: dict[str, Any], name: str, value: Any) -> None:
    if value is not None:
        body[name] = value


def _merge(body: dict[str, Any], name: str, given: Mapping[str, Any] | None) -> None:
    if given:
        before = body.get(name)
        if isinstance(before, list):  # pairs
            before = {p[0]: p[1] for p in before if isinstance(p, list) and len(p) == 2}
        body[name] = {**_object(before), **given}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
