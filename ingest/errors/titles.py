"""An error's title, type and culprit, by the rules of Sentry's servers."""

from ingest.errors.frames import innermost, plain_path
from ingest.errors.parts import (
    Json,
    exceptions_of,
    frames_of,
    loose_frames_of,
    message_of,
)

_LONGEST_TITLE = 100
_LONGEST_TYPE = 128
_LONGEST_CULPRIT = 200
SCRIPTED = frozenset({"javascript", "node"})


def title_of(body: Json) -> str:
    """The outermost exception's type and message, else the message; of each the first line."""
    exceptions = exceptions_of(body)
    if not exceptions:
        return _first_line(message_of(body)[1], _LONGEST_TITLE) or "<unlabeled event>"
    kind, value = type_of(exceptions[-1], body), exceptions[-1].get("value", "")
    if kind is None:
        function = str((frames_of(exceptions[-1]) or [{}])[-1].get("function", ""))
        return function[:_LONGEST_TITLE] or "<unknown>"
    return ": ".join(filter(None, (kind, _first_line(value, _LONGEST_TITLE))))


def type_of(exception: Json, body: Json) -> str | None:
    """The exception's type; None if a native SDK made it up to carry a stack trace.

    SDKs for scripts make exceptions up for thrown values that are no errors, and name them.
    """
    is_made_up = exception.get("mechanism", {}).get("synthetic") is True
    if is_made_up and body.get("platform") not in SCRIPTED:
        return None
    return _first_line(exception.get("type", ""), _LONGEST_TYPE) or "Error"


def culprit_of(body: Json) -> str:
    """What the SDK reports, else the innermost frame of the app, else the URL of the request."""
    for name in ("culprit", "transaction"):
        if given := str(body.get(name, "")).strip():
            return given[:_LONGEST_CULPRIT]
    exceptions = exceptions_of(body)
    if exceptions and type_of(exceptions[-1], body) is None:
        return ""
    traces = list(filter(None, map(frames_of, exceptions)))
    frames = traces[-1] if traces else [] if exceptions else loose_frames_of(body)
    frame = innermost(frames, body.get("platform", ""))
    place = _place(frame, frame.get("platform") or body.get("platform", ""))
    return (place or str(body.get("request", {}).get("url", "")))[:_LONGEST_CULPRIT]


def _place(frame: Json, platform: str) -> str:
    function = frame.get("function") or "?"
    file = frame.get("module") or frame.get("filename") or frame.get("abs_path")
    if platform in ("native", "objc", "cocoa"):
        return function if frame else ""
    if not file:
        return ""
    file = f"/{plain_path(file)}" if file.startswith(("http:", "https:")) else file
    return f"{function}({file})" if platform in SCRIPTED else f"{file} in {function}"


def _first_line(text: str, at_most: int) -> str:
    line = next(iter(text[:10_000].strip().splitlines()), "")
    return line if len(line) <= at_most else f"{line[: at_most - 3]}..."
