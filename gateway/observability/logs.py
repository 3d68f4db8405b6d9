"""Structured logs: one JSON object a line with ISO time, level, event and request id."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO

import orjson
import structlog
from structlog.typing import EventDict

# The request under way. structlog has context variables of its own, which cost ten times as much.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE

SECRET_NAMES = ("authorization", "token", "password", "secret", "cookie")


def configure(level: str, stream: BinaryIO | None = None) -> None:
    """Send every log line of the process, those of libraries too, to one place in one form."""
    output = stream or sys.stderr.buffer
    number = logging.getLevelNamesMapping()[level.upper()]
    writer = _Writer(output)
    structlog.configure(
        processors=[_line],
        logger_factory=writer,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    _configure_libraries(number, writer)


def _configure_libraries(level: int, writer: "_Writer") -> None:
    """What goes through the standard library's logging comes out in the same form."""
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name],
        processors=[remove_meta, _line, _as_text],
    )
    handler = _LibraryHandler(writer)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("uvicorn.error").addFilter(_is_news)


class _Writer:
    """What structlog hands its lines to; each method is a level.

    A full disk, or a reader of the log that has gone, costs lines and must cost nothing else.
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


def _is_news(record: logging.LogRecord) -> bool:
    """Offers of other protocols are common and harmless: they are not taken, nor told of."""
    return "upgrade request" not in str(record.msg)


class _LibraryHandler(logging.Handler):
    def __init__(self, writer: _Writer) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        self._writer.info(self.format(record).encode())


def log_event(level: str, message: str, **fields: Any) -> None:
    """Write one event that belongs to no module in particular."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.get_logger(component="events").log(number, message, **fields)


def _line(_logger: Any, level: str, event: EventDict) -> bytes:
    """The line of an event: one processor in place of structlog's many."""
    if request_id := REQUEST_ID.get():
        event["request_id"] = request_id
    event["level"] = level
    event["timestamp"] = datetime.now(UTC)
    _hide_secrets(event)
    if "exc_info" in event:
        event = structlog.processors.format_exc_info(_logger, level, event)
    return _dump(event)


def _hide_secrets(event: EventDict) -> None:
    for name in _secrets_among(tuple(event)):
        event[name] = "[hidden]"


@lru_cache(maxsize=1024)
def _secrets_among(names: tuple[str, ...]) -> list[str]:
    """The same few sets of names come again and again."""
    return [name for name in names if any(secret in name.lower() for secret in SECRET_NAMES)]


def _dump(event: EventDict) -> bytes:
    try:
        return orjson.dumps(event, default=str, option=_OPTIONS)
    except TypeError:  # half a character, or a number of more than 64 bits: no reason to fail
        return json.dumps(event, default=_plain).encode() + b"\n"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _as_text(_logger: Any, _method: str, line: Any) -> str:
    return str(line, "utf-8")
