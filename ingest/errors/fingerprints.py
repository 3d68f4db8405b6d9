"""Reads the fingerprint that an app gives its event, and fills in its variables."""

import re

from ingest.errors.composing import tag_of
from ingest.errors.frames import call_of, innermost
from ingest.errors.parts import (
    Json,
    exceptions_of,
    frames_of,
    loose_frames_of,
    message_of,
)

DEFAULT = "{{ default }}"
_MOST_PARTS = 50
_LONGEST_PART = 1_000
_VARIABLE = re.compile(r"\{\{\s{0,10}([\w.-]{1,200})\s{0,10}\}\}")
# By the variable's name: where the value stands in an exception, a frame or the body.
_OF_EXCEPTION = {"error.type": "type", "type": "type", "error.value": "value", "value": "value"}
_OF_FRAME = {"module": "module", "package": "package", "path": "abs_path", "filename": "filename"}
_OF_BODY = frozenset({"transaction", "level", "logger", "environment", "release", "platform"})


def custom_fingerprint(body: Json) -> list[str]:
    """The parts of the event's own fingerprint; DEFAULT stands for what we would decide.

    Empty if the event has none, or asks for nothing but the default.
    """
    parts = [part[:_LONGEST_PART] for part in body.get("fingerprint", [])[:_MOST_PARTS]]
    filled = [_VARIABLE.sub(lambda found: _value(found[1], body), part) for part in parts if part]
    return [] if set(filled) <= {DEFAULT} else [part[:_LONGEST_PART] for part in filled]


def _value(name: str, body: Json) -> str:
    """A variable's value, `<no-name>` if there is none; an unknown variable stays as it is."""
    exceptions, plain = exceptions_of(body), name.removeprefix("stack.")
    platform = body.get("platform", "")
    frames = frames_of(exceptions[-1]) if exceptions else loose_frames_of(body)
    frame = innermost(frames, platform)
    if name.startswith("tags."):
        value = tag_of(body, name.removeprefix("tags.")) or ""
    elif name in _OF_EXCEPTION:
        value = exceptions[-1].get(_OF_EXCEPTION[name], "") if exceptions else ""
    elif name == "message":
        value = message_of(body)[1] or _value("error.value", body)
    elif plain == "function":
        value = call_of(frame, platform).function
    elif plain in _OF_FRAME:
        value = frame.get(_OF_FRAME[plain], "")
    elif name in _OF_BODY:
        value = body.get(name, "")
    else:
        return f"{{{{ {name} }}}}"
    return value[:_LONGEST_PART] or f"<no-{name.replace('.', '-')}>"
