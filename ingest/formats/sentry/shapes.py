"""Brings an event of an SDK into one shape, so that what reads events need know no other.

Older and hand-written SDKs send lists where others send objects, numbers as texts, and null
anywhere. What has another type than it can have is left out.
"""

from collections.abc import Callable, Mapping
from typing import Any

from storage.names import clean_text

# A type, or a function that returns None for what is left out.
Shape = Callable[[Any], Any]

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
_MAX_NUMBER = (1 << 31) - 1


class Shaped(dict[str, Any]):
    """An event in the usual shape, which is not looked for again."""


def usual_shape(event: Mapping[str, Any]) -> Shaped:
    """A new event without nulls at its top, whose interfaces have their usual shapes."""
    if isinstance(event, Shaped):
        return Shaped(event)
    shaped = Shaped(
        _EVENT({_OLD_NAMES.get(name, name): value for name, value in event.items()}) or {}
    )
    if "stacktrace" in shaped and "threads" not in shaped and "exception" not in shaped:
        shaped["threads"] = {"values": [{"stacktrace": shaped.pop("stacktrace")}]}
    if isinstance(message := shaped.get("message"), dict):
        shaped.setdefault("logentry", message)
        del shaped["message"]
    return shaped


def _fields(shapes: Mapping[str, Shape]) -> Callable[[Any], dict[str, Any] | None]:
    """The shape of an object some of whose fields have shapes; without nulls, and not empty."""

    def read(value: Any) -> dict[str, Any] | None:
        if type(value) is not dict:
            return None
        found = {}
        for name, inner in value.items():
            shape = shapes.get(name)
            if inner is None:
                continue
            if shape is None or type(inner) is shape:
                found[name] = inner
            elif (usual := _CONVERSIONS.get(shape, shape)(inner)) is not None:
                found[name] = usual
        return found or None

    return read


def _values(shape: Shape) -> Shape:
    """The shape `{values: […]}` of objects, which may come as a list or one alone."""

    def read(value: Any) -> dict[str, Any] | None:
        if isinstance(value, dict):
            value = value.get("values", [value])
        found = list(filter(None, map(shape, value))) if isinstance(value, list) else []
        return {"values": found} if found else None

    return read


def _stacktrace(value: Any) -> dict[str, Any] | None:
    trace = {"frames": value} if isinstance(value, list) else value
    if not isinstance(trace, dict) or not isinstance(trace.get("frames"), list):
        return None
    return {**trace, "frames": list(filter(None, map(_FRAME, trace["frames"])))}


def _pairs(shape: Shape) -> Shape:
    """The shape of an object that may come as pairs, or as objects with a key and a value."""

    def read(value: Any) -> dict[str, Any] | None:
        if isinstance(value, dict):
            value = [list(pair) for pair in value.items()]
        each = value if isinstance(value, list) else ()
        pairs = [one for one in each if isinstance(one, list) and len(one) == 2]
        objects = (one for one in each if isinstance(one, dict) and "key" in one)
        pairs += [[one["key"], one.get("value")] for one in objects]
        named = {name: shape(inner) for key, inner in pairs if (name := _text(key)) is not None}
        return {name: inner for name, inner in named.items() if inner is not None} or None

    return read


def _message(value: Any) -> Any:
    """A text as it is, `logentry` of an object or of anything that can be a text."""
    return value if isinstance(value, str) else _logentry(value)


def _logentry(value: Any) -> dict[str, Any] | None:
    text = _text(value)
    return _LOGENTRY(value) if text is None else {"formatted": text}


def _level(value: Any) -> str:
    """A level that is known; `error` for any other."""
    word = value.strip().lower() if isinstance(value, str) else ""
    word = _LEVELS_BY_ALIAS.get(word, word)
    return word if word in LEVELS else "error"


def _texts(value: Any) -> list[str] | None:
    parts = value if isinstance(value, list) else [value]
    return [text for part in parts if (text := _text(part)) is not None] or None


def _name(value: Any) -> str | None:
    """A text of one line, cut to the length of names."""
    text = _text(value) or ""
    line = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return " ".join(line.split())[:_MAX_NAME_LENGTH] or None


def _text(value: Any) -> str | None:
    """A text of a text, a number or a flag."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:_MAX_NAME_LENGTH] if isinstance(value, int | float) else None


def _whole(value: Any) -> int | None:
    text = value.strip() if isinstance(value, str) else ""
    if text.isascii() and text.isdigit():
        value = int(text[:18])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= _MAX_NUMBER else None


def _nothing(value: Any) -> None:
    """No other type can be a flag."""


def _as_it_is(value: Any) -> Any:
    return value


_CONVERSIONS: dict[Any, Shape] = {str: _text, int: _whole, bool: _nothing}
_object = _fields({})
_OF_FRAME = ("function", "module", "filename", "abs_path", "platform", "package", "context_line")
_FRAME = _fields(dict.fromkeys(_OF_FRAME, str) | {"lineno": int, "colno": int, "in_app": bool})
_BREADCRUMB = _fields(dict.fromkeys(("message", "category", "level", "type"), str))
_EXCEPTION = _fields(
    dict.fromkeys(("type", "value", "module"), str)
    | dict.fromkeys(("stacktrace", "raw_stacktrace"), _stacktrace)
    | {"mechanism": _object, "crashed": bool, "current": bool}
)
_LOGENTRY = _fields(dict.fromkeys(("message", "formatted"), str))
_EVENT = _fields(
    {
        "exception": _values(_EXCEPTION),
        "breadcrumbs": _values(_BREADCRUMB),
        "threads": _values(_EXCEPTION),
        "stacktrace": _stacktrace,
        "tags": _pairs(_text),
        "logentry": _logentry,
        "message": _message,
        "level": _level,
        "user": _fields(dict.fromkeys(("id", "email", "username", "ip_address"), _text)),
        "request": _fields({"headers": _pairs(_as_it_is)} | dict.fromkeys(("url", "method"), str)),
        "fingerprint": _texts,
    }
    | dict.fromkeys(("extra", "contexts", "sdk"), _object)
    | dict.fromkeys(("release", "environment", "dist", "server_name", "logger", "platform"), _name)
    | dict.fromkeys(("transaction", "culprit"), _text)
)
