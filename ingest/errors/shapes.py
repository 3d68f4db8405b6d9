"""Reads the parts of an error event's body, in which any field may have a wrong type."""

import re
from typing import Any

MAX_EXCEPTIONS = 20
MAX_FRAMES = 250

_LONGEST_TEMPLATE = 10_000
_PLACE = re.compile(r"%%|%[-+#0 ]?[0-9]{0,3}(?:\.[0-9]{1,3})?[a-zA-Z]|\{[0-9]{0,2}\}")
_NAMED_PLACE = re.compile(r"%\((\w{1,100})\)[a-zA-Z]|\{(\w{1,100})\}")

Json = dict[str, Any]


def text_of(value: Any) -> str:
    """Returns a text or number as text; the empty string for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return repr(value) if isinstance(value, float) or value.bit_length() < 1_000 else ""


def object_of(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def objects_of(value: Any) -> list[Json]:
    """Returns the objects of a list, or of the `values` of an object, as SDKs send both."""
    if isinstance(value, dict):
        value = value.get("values")
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def exceptions_of(body: Json) -> list[Json]:
    """Returns the chain of exceptions, root cause first; of a long chain the outermost ones."""
    value = body.get("exception")
    if isinstance(value, dict) and "values" not in value:
        value = [value]
    return [each for each in objects_of(value) if any(part is not None for part in each.values())][
        -MAX_EXCEPTIONS:
    ]


def frames_of(holder: Json) -> list[Json]:
    """Returns the frames of a thread's, an exception's or a body's `stacktrace`, innermost last."""
    frames = object_of(holder.get("stacktrace")).get("frames")
    return (
        [each for each in frames if isinstance(each, dict)][-MAX_FRAMES:]
        if isinstance(frames, list)
        else []
    )


def loose_frames_of(body: Json) -> list[Json]:
    """Returns the frames that belong to no exception: the body's own, else the crashed thread's."""
    if frames := frames_of(body):
        return frames
    threads = objects_of(body.get("threads"))
    for mark in ("crashed", "current"):
        for thread in threads:
            if thread.get(mark) is True and (frames := frames_of(thread)):
                return frames
    return frames_of(threads[0]) if len(threads) == 1 else []


def message_of(body: Json) -> tuple[str, str]:
    """Returns the message's template and its text; both are empty if there is no message.

    SDKs send a text in `message`, or an object with `message`, `params` and `formatted` there or
    in `logentry`.
    """
    for name in ("logentry", "message"):
        value = body.get(name)
        if isinstance(value, dict):
            template, formatted = text_of(value.get("message")), text_of(value.get("formatted"))
            if template or formatted:
                return template or formatted, formatted or filled(template, value.get("params"))
        elif message := text_of(value):
            return message, message
    return "", ""


def filled(template: str, params: Any) -> str:
    """Returns the template with its parameters in place, or as it is if they do not fit."""
    if (
        not params
        or not isinstance(params, dict | list)
        or len(template) > _LONGEST_TEMPLATE
        or len(params) > 100
    ):
        return template
    if isinstance(params, dict):
        values = {f"{name}": text_of(value) for name, value in params.items()}
        return _NAMED_PLACE.sub(lambda place: values.get(place[1] or place[2], place[0]), template)
    places = [place for place in _PLACE.findall(template) if place != "%%"]
    if len(places) != len(params):
        return template
    texts = iter(params)
    return _PLACE.sub(lambda place: "%" if place[0] == "%%" else text_of(next(texts)), template)


def tags_of(body: Json) -> dict[str, str]:
    """Returns the tags, which SDKs send as an object, pairs, or objects with `key` and `value`."""
    tags = body.get("tags")
    if isinstance(tags, dict):
        return {name: text_of(value) for name, value in tags.items() if isinstance(name, str)}
    pairs = tags if isinstance(tags, list) else []
    found = {}
    for pair in pairs:
        name, value = _pair(pair)
        if isinstance(name, str):
            found[name] = text_of(value)
    return found


def _pair(pair: Any) -> tuple[Any, Any]:
    if isinstance(pair, dict):
        return pair.get("key"), pair.get("value")
    return tuple(pair) if isinstance(pair, list) and len(pair) == 2 else (None, None)
