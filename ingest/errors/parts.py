"""Reads the parts of an error event's body, which is in the usual shape."""

import re
from typing import Any

Json = dict[str, Any]

_MOST_EXCEPTIONS = 20
MAX_FRAMES = 250
_PLACE = re.compile(
    r"%%|%(?:\((?P<name>\w{1,100})\))?[-+#0 ]?[0-9.]{0,7}[a-zA-Z]|\{(?P<key>\w{0,100})\}"
)


def text_of(value: Any) -> str:
    """A text or a number as text; anything else as the empty string."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value) if isinstance(value, float) or value.bit_length() < 1_000 else ""


def object_of(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def values_of(body: Json, name: str) -> list[Json]:
    """The exceptions, threads or breadcrumbs of a body."""
    found: list[Json] = body.get(name, {}).get("values", [])
    return found


def exceptions_of(body: Json) -> list[Json]:
    """The chain of exceptions, root cause first; of a long chain the outermost ones."""
    found = values_of(body, "exception")[-_MOST_EXCEPTIONS:]
    return [each for each in found if "[cut]" not in each] or found


def frames_of(holder: Json) -> list[Json]:
    """The frames of an exception, a thread or a body, innermost last."""
    frames: list[Json] = holder.get("stacktrace", {}).get("frames", [])
    return frames[-MAX_FRAMES:]


def loose_frames_of(body: Json) -> list[Json]:
    """The frames that belong to no exception: the body's own, else those of the crashed thread."""
    threads = values_of(body, "threads")
    marked = [each for name in ("crashed", "current") for each in threads if each.get(name) is True]
    return next(filter(None, map(frames_of, [body, *marked, *threads[:1]])), [])


def message_of(body: Json) -> tuple[str, str]:
    """The message's template and its text; both are empty if there is no message."""
    entry = body.get("logentry", {})
    template, text = entry.get("message", ""), entry.get("formatted", "")
    if template or text:
        return template or text, text or _filled(template, entry.get("params"))
    return body.get("message", ""), body.get("message", "")


def _filled(template: str, params: Any) -> str:
    """The template with its parameters; a place without one stays as it is."""
    named = object_of(params)
    in_order = iter(params if isinstance(params, list) else ())

    def fill(place: re.Match[str]) -> str:
        if place[0] == "%%":
            return "%"
        name = place["name"] or place["key"]
        return text_of(named.get(name) if name else next(in_order, None)) or place[0]

    return _PLACE.sub(fill, template[:10_000])
