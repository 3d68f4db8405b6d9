"""The text of an error event that a full-text search reads."""

from collections.abc import Iterator

from ingest.errors.shapes import (
    Json,
    exceptions_of,
    frames_of,
    loose_frames_of,
    message_of,
    text_of,
)
from ingest.errors.titles import culprit_of

_LONGEST_TEXT = 8_000
_LONGEST_PART = 2_000
_MOST_FRAMES = 100


def searchable(body: Json) -> str:
    """Returns messages, types, function and file names, each once; at most 8,000 characters.

    What tells most comes first.
    """
    return "\n".join(dict.fromkeys(part for part in _parts(body) if part))[:_LONGEST_TEXT]


def _parts(body: Json) -> Iterator[str]:
    exceptions = exceptions_of(body)
    for exception in reversed(exceptions):
        for name in ("type", "value", "module"):
            yield text_of(exception.get(name))[:_LONGEST_PART]
    yield message_of(body)[1][:_LONGEST_PART]
    yield culprit_of(body)
    yield text_of(body.get("logger"))[:_LONGEST_PART]
    traces = [frames_of(exception) for exception in reversed(exceptions)] or [loose_frames_of(body)]
    frames = [frame for trace in traces for frame in reversed(trace)]
    for frame in frames[:_MOST_FRAMES]:
        for name in ("function", "module", "filename"):
            yield text_of(frame.get(name))[:_LONGEST_PART]
