"""The gateway's own log as log lines of a project, beside the stream that it is written to."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from gateway.observability import logs
from ingest.wire.log_lines import LEVELS

MAX_LINES = 5_000
# Of each value; a line has few, and all of them together may take 16,384 bytes.
MAX_CHARACTERS = 3_000
_APART = ("event", "level", "timestamp", "logger", "component")


@contextmanager
def passing_on(add: Callable[[Mapping[str, Any]], None]) -> Iterator[None]:
    """Passes what the process logs inside the block on as fields of log lines.

    `add` is called in the thread of the running loop, and must not wait.
    """
    loop, thread = asyncio.get_running_loop(), threading.get_ident()

    def on_line(line: Mapping[str, Any]) -> None:
        fields = line_fields(line)
        if threading.get_ident() == thread:
            add(fields)
        else:  # a library's thread, which may outlive the loop
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(add, fields)

    with logs.listening(on_line):
        yield


def line_fields(line: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of the event of a log line; its secrets are hidden by their names."""
    level = line["level"]
    return {
        "time": line["timestamp"].isoformat(),
        "message": str(line.get("event") or ""),
        "level": level if level in LEVELS else "info",
        "logger": line.get("logger") or line.get("component"),
        "fields": {name: _value(name, line[name]) for name in line if name not in _APART},
    }


def _value(name: str, value: Any) -> Any:
    """A value as JSON has it. Of an exception the end says what happened."""
    if value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    text = str(value)
    return text[-MAX_CHARACTERS:] if name == "exception" else text[:MAX_CHARACTERS]
