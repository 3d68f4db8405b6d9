"""Reads the fingerprint that an app gives its event, and fills in its variables."""

import re

from ingest.errors.frames import function_of
from ingest.errors.shapes import (
    Json,
    exceptions_of,
    frames_of,
    loose_frames_of,
    message_of,
    tags_of,
    text_of,
)

_MOST_PARTS = 50
_LONGEST_PART = 1_000
_VARIABLE = re.compile(r"\{\{\s{0,10}([\w.\-]{1,200})\s{0,10}\}\}")
_DEFAULT = re.compile(r"\s*\{\{\s{0,10}default\s{0,10}\}\}\s*")


def custom_fingerprint(body: Json) -> list[str | None]:
    """Returns the parts of the event's own fingerprint, with its variables filled in.

    None stands for what we would decide. Empty if the event has no fingerprint of its own, or asks
    for nothing but the default.
    """
    given = body.get("fingerprint")
    parts = [
        text_of(each)[:_LONGEST_PART]
        for each in (given if isinstance(given, list) else [given])[:_MOST_PARTS]
    ]
    parts = [part for part in parts if part]
    if all(_DEFAULT.fullmatch(part) for part in parts):
        return []
    return [None if _DEFAULT.fullmatch(part) else _filled(part, body) for part in parts]


def _filled(part: str, body: Json) -> str:
    return _VARIABLE.sub(lambda variable: _value(variable[1], body), part) if "{{" in part else part


def _value(name: str, body: Json) -> str:
    """Returns a variable's value, `<no-name>` if the event has none.

    A variable that we do not know stays as it is.
    """
    if name.startswith("tags."):
        value = tags_of(body).get(name.removeprefix("tags."), "")
    elif name in _OF_EXCEPTION:
        exceptions = exceptions_of(body)
        value = text_of(exceptions[-1].get(_OF_EXCEPTION[name])) if exceptions else ""
    elif name in _OF_FRAME:
        value = _frame_value(_OF_FRAME[name], body)
    elif name == "message":
        value = message_of(body)[1] or _value("error.value", body)
    elif name in _OF_BODY:
        value = text_of(body.get(name))
    else:
        return f"{{{{ {name} }}}}"
    return value[:_LONGEST_PART] or f"<no-{name.replace('.', '-')}>"


def _frame_value(field: str, body: Json) -> str:
    exceptions = exceptions_of(body)
    frames = frames_of(exceptions[-1]) if exceptions else loose_frames_of(body)
    frame = next(
        (each for each in reversed(frames) if each.get("in_app") is True),
        frames[-1] if frames else {},
    )
    return (
        function_of(frame, text_of(body.get("platform")))
        if field == "function"
        else text_of(frame.get(field))
    )


_OF_EXCEPTION = {"type": "type", "error.type": "type", "value": "value", "error.value": "value"}
_OF_FRAME = {
    "function": "function",
    "stack.function": "function",
    "module": "module",
    "stack.module": "module",
    "package": "package",
    "stack.package": "package",
    "path": "abs_path",
    "stack.abs_path": "abs_path",
    "stack.filename": "filename",
}
_OF_BODY = frozenset(
    {"transaction", "level", "logger", "environment", "release", "platform", "server_name"}
)
