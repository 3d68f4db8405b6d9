"""Composes the body of an occurrence from the fields of an event, in the shape of Sentry's SDKs.

The shape is described at https://develop.sentry.dev/sdk/event-payloads/; `usual_shape` says which
of its forms. What the event itself says wins over its payload.
"""

from collections.abc import Mapping
from typing import Any

from ingest.errors.stack_texts import frames_of_text
from ingest.events import MAX_ERROR_LENGTH, Event
from ingest.formats.sentry.shapes import usual_shape
from storage.dimensions import ENVIRONMENT, ERROR_TYPE

_MAX_TEXT_LENGTH = 300


def body_of(event: Event) -> dict[str, Any]:
    """The body of an error event, unscrubbed."""
    given: Mapping[str, Any] = event.content
    body = usual_shape(given["payload"] or {})
    said = {
        "release": event.value("release"),
        "environment": event.name(ENVIRONMENT),
        "transaction": given["culprit"],
        "fingerprint": given["fingerprint"] and list(given["fingerprint"]),
        "user": given["user"] and {**body.get("user", {}), "id": given["user"]},
        "tags": given["tags"] and {**body.get("tags", {}), **given["tags"]},
        "extra": given["attributes"] and {**body.get("extra", {}), **given["attributes"]},
    }
    body |= usual_shape(said)
    _tell(body, event.name(ERROR_TYPE), given["message"], given["stack_trace"])
    return body


def _tell(body: dict[str, Any], kind: str | None, message: str | None, stack: str | None) -> None:
    """Puts in the exception, or the message if there is no type and no stack."""
    values = frames_of_text(_whole_lines(stack)) if stack else []
    if stack and not values:
        body["extra"] = {**body.get("extra", {}), "stackTrace": stack}
    if not values and not kind:
        body |= {} if message is None else {"message": message}
    elif values or message is not None or "exception" not in body:
        said = {"type": kind, "value": message}
        last = values[-1] if values else {}
        last |= {name: text for name, text in said.items() if text is not None}
        body["exception"] = {"values": [*values[:-1], last]}


def _whole_lines(stack: str) -> str:
    """The lines within the limit of a text, of which none is cut."""
    if len(stack) <= MAX_ERROR_LENGTH:
        return stack
    return stack[: MAX_ERROR_LENGTH + 1].rpartition("\n")[0]


def user_of(body: Mapping[str, Any]) -> str | None:
    """What identifies the user: the id, else the name or the address; never an IP address."""
    user = body.get("user", {})
    found = next(filter(None, map(user.get, ("id", "username", "email"))), None)
    return found and str(found)[:_MAX_TEXT_LENGTH]


def tag_of(body: Mapping[str, Any], name: str) -> str | None:
    """A tag's value."""
    value = body.get("tags", {}).get(name)
    return value.strip()[:_MAX_TEXT_LENGTH] or None if isinstance(value, str) else None
