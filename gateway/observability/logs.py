"""Structured logs: a JSON object per line, with timestamp, level, event and request id."""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO

import orjson
import structlog
from structlog.typing import EventDict

# The current request's id. structlog's own context variables cost ten times as much.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

SECRET_NAMES = ("authorization", "token", "password", "secret", "cookie")

# What gets each line beside the stream.
_LISTENERS: list[Callable[[Mapping[str, Any]], None]] = []

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def configure(level: str, stream: BinaryIO | None = None) -> None:
    """Write all log lines of the process, including those of libraries, to one stream as JSON."""
    number = logging.getLevelNamesMapping()[level.upper()]
    writer = _Writer(stream or sys.stderr.buffer)
    structlog.configure(
        processors=[_line],
        logger_factory=writer,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_LibraryHandler(writer)]
    root.setLevel(number)
    logging.getLogger("uvicorn.error").addFilter(_is_relevant)
    # They tell of each request that they send, with its address, which may hold a token.
    for library in ("httpx", "urllib3", "apprise"):
        logging.getLogger(library).setLevel(max(number, logging.WARNING))


def log_event(level: str, message: str, **fields: Any) -> None:
    """Writes a line of a level, such as `info`, with a message and values by name.

    The line is a JSON object with the time in ISO form, as all lines of the process.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.get_logger().log(number, message, **fields)


@contextmanager
def listening(listener: Callable[[Mapping[str, Any]], None]) -> Iterator[None]:
    """Gives the listener each line that is written inside the block, in whatever thread.

    It gets what the line says by name, without secrets, and must neither wait nor raise.
    """
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


class _Writer:
    """The logger that structlog passes its lines to, by level.

    Lines are lost, and nothing else fails, when the disk is full or the reader has gone.
    """

    def __init__(self, output: BinaryIO) -> None:
        self._write, self._flush = output.write, output.flush

    def __call__(self, *_arguments: Any) -> "_Writer":
        return self

    def info(self, line: bytes) -> None:
        try:
            self._write(line)
            self._flush()
        except OSError:
            pass

    debug = warning = error = critical = info


class _LibraryHandler(logging.Handler):
    """Writes the records of the standard library's logging in the same form."""

    def __init__(self, writer: _Writer) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        event: EventDict = {"event": record.getMessage(), "logger": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        self._writer.info(_line(None, record.levelname.lower(), event))


def _is_relevant(record: logging.LogRecord) -> bool:
    """Whether to log a record of uvicorn's: clients often offer other protocols, to no effect."""
    return "upgrade request" not in str(record.msg)


def _line(_logger: Any, level: str, event: EventDict) -> bytes:
    """Format an event; one processor is faster than structlog's several."""
    if request_id := REQUEST_ID.get():
        event["request_id"] = request_id
    event["level"] = level
    event["timestamp"] = datetime.now(UTC)
    for name in _secrets_among(tuple(event)):
        event[name] = "[hidden]"
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(_logger, level, event)
    for listener in _LISTENERS:
        listener(event)
    try:
        return orjson.dumps(event, default=str, option=_OPTIONS)
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits
        return json.dumps(event, default=_as_text).encode() + b"\n"


@lru_cache(maxsize=1024)
def _secrets_among(names: tuple[str, ...]) -> list[str]:
    """Cached: the code logs few combinations of names."""
    return [name for name in names if any(secret in name.lower() for secret in SECRET_NAMES)]


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
