"""An error's title, type and culprit, by the rules of Sentry's servers."""

from dataclasses import dataclass

from ingest.errors.paths import url_path
from ingest.errors.shapes import (
    Json,
    exceptions_of,
    frames_of,
    loose_frames_of,
    message_of,
    object_of,
    text_of,
)

UNTITLED = "<unlabeled event>"
_LONGEST_TITLE = 100
_LONGEST_TYPE = 128
_LONGEST_CULPRIT = 200
_NATIVE = frozenset({"objc", "cocoa", "native"})
_SCRIPTED = frozenset({"javascript", "node"})


@dataclass(frozen=True, slots=True)
class Title:
    """How an error is named."""

    title: str
    error_type: str | None
    culprit: str


def title_of(body: Json) -> Title:
    """Returns the title, the type (None for a message) and the culprit, which may be empty."""
    exceptions = exceptions_of(body)
    if exceptions:
        kind = type_of(exceptions[-1], text_of(body.get("platform")))
        return Title(_exception_title(exceptions[-1], kind), kind, culprit_of(body))
    return Title(_shortened(_first_line(message_of(body)[1])) or UNTITLED, None, culprit_of(body))


def type_of(exception: Json, platform: str) -> str | None:
    """Returns the exception's type; None if the SDK made it up to carry a stack trace."""
    if is_made_up(exception, platform):
        return None
    return _first_line(text_of(exception.get("type")))[:_LONGEST_TYPE] or "Error"


def is_made_up(exception: Json, platform: str) -> bool:
    """Whether a native SDK made the exception up.

    SDKs for scripts do so for thrown values that are no errors, and name them: those count.
    """
    return (
        object_of(exception.get("mechanism")).get("synthetic") is True and platform not in _SCRIPTED
    )


def culprit_of(body: Json) -> str:
    """Returns the culprit or transaction that the SDK reports.

    If it reports none: the innermost frame of the app, else the innermost one, else the URL.
    """
    for name in ("culprit", "transaction"):
        if given := text_of(body.get(name)).strip():
            return given[:_LONGEST_CULPRIT]
    exceptions = exceptions_of(body)
    if exceptions and is_made_up(exceptions[-1], text_of(body.get("platform"))):
        return ""
    return (
        _frames_culprit(body, exceptions) or text_of(object_of(body.get("request")).get("url"))
    )[:_LONGEST_CULPRIT]


def _exception_title(exception: Json, kind: str | None) -> str:
    if kind is None:
        frames = frames_of(exception)
        return (
            text_of(frames[-1].get("function"))[:_LONGEST_TITLE] or "<unknown>"
            if frames
            else "<unknown>"
        )
    value = _first_line(text_of(exception.get("value")))
    return f"{kind}: {_shortened(value)}" if value else kind


def _frames_culprit(body: Json, exceptions: list[Json]) -> str:
    traces = [frames for each in exceptions if (frames := frames_of(each))]
    frames = traces[-1] if traces else [] if exceptions else loose_frames_of(body)
    platform, other = text_of(body.get("platform")), ""
    for frame in reversed(frames):
        culprit = _frame_culprit(frame, text_of(frame.get("platform")) or platform)
        if culprit and frame.get("in_app") is True:
            return culprit
        other = other or culprit
    return other


def _frame_culprit(frame: Json, platform: str) -> str:
    function = text_of(frame.get("function")) or "?"
    if platform in _NATIVE:
        return function
    place = text_of(frame.get("module")) or url_path(
        text_of(frame.get("filename")) or text_of(frame.get("abs_path"))
    )
    if not place:
        return ""
    return f"{function}({place})" if platform in _SCRIPTED else f"{place} in {function}"


def _first_line(text: str) -> str:
    lines = text[:10_000].strip().splitlines()
    return lines[0] if lines else ""


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TITLE else text[: _LONGEST_TITLE - 3] + "..."
