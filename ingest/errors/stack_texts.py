"""Reads stack traces as runtimes print them into exceptions as Sentry's SDKs send them."""

from ingest.errors.frames import is_own
from ingest.errors.shapes import MAX_EXCEPTIONS, Json
from ingest.errors.traces_at import read_dotnet, read_java, read_script
from ingest.errors.traces_other import read_go, read_php, read_python, read_ruby

_LONGEST_TEXT = 100_000
_MOST_LINES = 1_500
_LONGEST_LINE = 1_000
# Tried in this order until one finds a frame. .NET comes last: its form fits many lines.
_READERS = (read_python, read_java, read_script, read_php, read_ruby, read_go, read_dotnet)


def frames_of_text(text: str) -> list[Json]:
    """Returns the chain of exceptions in a stack trace, root cause first.

    Reads Python, Java, JavaScript, PHP, Ruby, Go and .NET. Empty if the text is no stack trace.
    """
    lines = [
        line[:_LONGEST_LINE].rstrip() for line in text[:_LONGEST_TEXT].splitlines()[:_MOST_LINES]
    ]
    for read in _READERS:
        if exceptions := read(lines):
            return [_marked(exception) for exception in exceptions[-MAX_EXCEPTIONS:]]
    return []


def _marked(exception: Json) -> Json:
    """Returns the exception with each frame marked as the app's own or not, as an SDK does."""
    frames = [
        {**frame, "in_app": is_own(frame, frame["platform"])}
        for frame in exception["stacktrace"]["frames"]
    ]
    return {**exception, "stacktrace": {"frames": frames}}
