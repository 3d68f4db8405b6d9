"""Brings the legal odd shapes of an event's interfaces into the usual one.

Older and hand-written SDKs send lists where others send objects, numbers as texts, and null
anywhere. The code that reads events needs to know one shape only.
"""

from collections.abc import Callable, Mapping
from typing import Any

from storage.names import clean_text

LEVELS = frozenset({"debug", "info", "log", "sample", "warning", "error", "fatal", "critical"})
_LEVELS_BY_ALIAS = {"warn": "warning", "err": "error", "trace": "debug", "notice": "info"}
# The names of interfaces in the protocol before version 7.
_OLD_NAMES = {
    "sentry.interfaces.Exception": "exception",
    "sentry.interfaces.Message": "logentry",
    "sentry.interfaces.Stacktrace": "stacktrace",
    "sentry.interfaces.Http": "request",
    "sentry.interfaces.User": "user",
    "sentry.interfaces.Breadcrumbs": "breadcrumbs",
}
_MAX_NAME_LENGTH = 200


def usual_shape(event: Mapping[str, Any]) -> dict[str, Any]:
    """A new event without nulls at its top, whose interfaces have their usual shapes."""
    named = {_OLD_NAMES.get(name, name): value for name, value in event.items()}
    shaped: dict[str, Any] = {}
    for name, value in named.items():
        reshape = _SHAPES.get(name)
        usual = value if value is None or reshape is None else reshape(value)
        if usual is not None:
            shaped[name] = usual
    if "stacktrace" in shaped and "threads" not in shaped and "exception" not in shaped:
        shaped["threads"] = {"values": [{"stacktrace": shaped.pop("stacktrace")}]}
    if "message" in shaped and not isinstance(shaped["message"], str):
        shaped.setdefault("logentry", _message(shaped.pop("message")))
    return {name: value for name, value in shaped.items() if value is not None}


def _values(value: Any) -> dict[str, Any] | None:
    """`{values: […]}` of a list, of that, or of a single value."""
    if isinstance(value, dict) and isinstance(value.get("values"), list):
        listed = value["values"]
    elif isinstance(value, dict):
        is_empty = "values" in value or not value
        listed = [] if is_empty else [value]
    else:
        listed = value if isinstance(value, list) else []
    found = [one for one in listed if isinstance(one, dict)]
    return {"values": found} if found else None


def _exceptions(value: Any) -> dict[str, Any] | None:
    found = _values(value)
    return found and {"values": [_exception(one) for one in found["values"]]}


def _exception(value: dict[str, Any]) -> dict[str, Any]:
    shaped = dict(value)
    for name in ("type", "value", "module"):
        if name in shaped and not isinstance(shaped[name], str):
            shaped[name] = _text(shaped[name])
    if isinstance(shaped.get("stacktrace"), list):
        shaped["stacktrace"] = {"frames": shaped["stacktrace"]}
    if isinstance(stacktrace := shaped.get("stacktrace"), dict):
        shaped["stacktrace"] = _stacktrace(stacktrace)
    return {name: value for name, value in shaped.items() if value is not None}


def _stacktrace(value: Any) -> dict[str, Any] | None:
    frames = value if isinstance(value, list) else isinstance(value, dict) and value.get("frames")
    if not isinstance(frames, list):
        return None
    rest = value if isinstance(value, dict) else {}
    return {**rest, "frames": [_frame(frame) for frame in frames if isinstance(frame, dict)]}


def _frame(value: dict[str, Any]) -> dict[str, Any]:
    numbers = (value.get("lineno", 0), value.get("colno", 0))
    if all(type(number) is int for number in numbers) and None not in value.values():
        return value
    shaped = {name: inner for name, inner in value.items() if inner is not None}
    for name in ("lineno", "colno"):
        if name in shaped and (number := _whole(shaped.pop(name))) is not None:
            shaped[name] = number
    return shaped


def _threads(value: Any) -> dict[str, Any] | None:
    found = _values(value)
    return found and {"values": [_exception(one) for one in found["values"]]}


def _tags(value: Any) -> dict[str, str] | None:
    """The tags by name, each a text."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [(one[0], one[1]) for one in value if isinstance(one, list) and len(one) == 2]
        pairs += [(one["key"], one.get("value")) for one in value if _is_named(one)]
    else:
        return None
    tags = {str(_text(name)): _text(inner) for name, inner in pairs if name is not None}
    return {name: text for name, text in tags.items() if text is not None} or None


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and "key" in value


def _message(value: Any) -> dict[str, Any] | None:
    """`logentry` of an object, of a text, or of anything that can be a text."""
    if isinstance(value, dict):
        shaped = {name: inner for name, inner in value.items() if inner is not None}
        for name in ("message", "formatted"):
            if name in shaped and not isinstance(shaped[name], str):
                shaped[name] = _text(shaped[name])
        return shaped or None
    text = _text(value)
    return None if text is None else {"formatted": text}


def _level(value: Any) -> str:
    """A level that is known; `error` for any other."""
    word = value.strip().lower() if isinstance(value, str) else ""
    word = _LEVELS_BY_ALIAS.get(word, word)
    return word if word in LEVELS else "error"


def _user(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    shaped = {name: inner for name, inner in value.items() if inner is not None}
    for name in ("id", "email", "username", "ip_address"):
        if name in shaped and not isinstance(shaped[name], str):
            shaped[name] = _text(shaped[name])
    return {name: inner for name, inner in shaped.items() if inner is not None} or None


def _request(value: Any) -> dict[str, Any] | None:
    """The headers are an object, also where they came as pairs."""
    if not isinstance(value, dict):
        return None
    shaped = dict(value)
    if isinstance(headers := shaped.get("headers"), list):
        pairs = [pair for pair in headers if isinstance(pair, list) and len(pair) == 2]
        shaped["headers"] = {str(_text(name)): inner for name, inner in pairs}
    return shaped


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _fingerprint(value: Any) -> list[str] | None:
    parts = value if isinstance(value, list) else [value]
    return [text for part in parts if (text := _text(part)) is not None] or None


def _name(value: Any) -> str | None:
    """A text of one line, cut to the length of names."""
    text = _text(value)
    if text is None:
        return None
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line[:_MAX_NAME_LENGTH] or None


def _text(value: Any) -> str | None:
    """A text of a text, a number or a flag."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:_MAX_NAME_LENGTH] if isinstance(value, int | float) else None


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:18])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_SHAPES: Mapping[str, Callable[[Any], Any]] = {
    "exception": _exceptions,
    "breadcrumbs": _values,
    "threads": _threads,
    "stacktrace": _stacktrace,
    "tags": _tags,
    "logentry": _message,
    "level": _level,
    "user": _user,
    "request": _request,
    "extra": _object,
    "contexts": _object,
    "sdk": _object,
    "fingerprint": _fingerprint,
    "release": _name,
    "environment": _name,
    "dist": _name,
    "server_name": _name,
    "logger": _name,
    "platform": _name,
    "transaction": _text,
    "culprit": _text,
}
