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
from structlog.typing import EventDict, Processor

# The request under way. structlog has context variables of its own, which cost ten times as much.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z

SECRET_NAMES = ("authorization", "token", "password", "secret", "cookie")


def configure(level: str, stream: BinaryIO | None = None) -> None:
    """Send every log line of the process, those of libraries too, to one place in one form."""
    output = stream or sys.stderr.buffer
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        _add_request_id,
        structlog.processors.add_log_level,
        _add_timestamp,
        _hide_secrets,
    ]
    last: list[Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(serializer=_dump),
    ]
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=structlog.BytesLoggerFactory(output),
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    _configure_libraries(number, output, [structlog.stdlib.add_logger_name, *shared], last)


def _configure_libraries(
    level: int, output: BinaryIO, first: list[Processor], last: list[Processor]
) -> None:
    """What goes through the standard library's logging comes out in the same form."""
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=first, processors=[remove_meta, *last, _as_text]
    )
    handler = _BinaryHandler(output)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)


class _BinaryHandler(logging.Handler):
    def __init__(self, output: BinaryIO) -> None:
        super().__init__()
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        self._output.write(self.format(record).encode() + b"\n")
        self._output.flush()


def log_event(level: str, message: str, **fields: Any) -> None:
    """Write one event that belongs to no module in particular."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.get_logger(component="events").log(number, message, **fields)


def _add_request_id(_logger: Any, _method: str, event: EventDict) -> EventDict:
    if request_id := REQUEST_ID.get():
        event["request_id"] = request_id
    return event


def _add_timestamp(_logger: Any, _method: str, event: EventDict) -> EventDict:
    event["timestamp"] = datetime.now(UTC)  # which is written faster with the rest
    return event


def _hide_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for name in _secrets_among(tuple(event)):
        event[name] = "[hidden]"
    return event


@lru_cache(maxsize=1024)
def _secrets_among(names: tuple[str, ...]) -> list[str]:
    """The same few sets of names come again and again."""
    return [name for name in names if any(secret in name.lower() for secret in SECRET_NAMES)]


def _dump(event: Any, **_options: Any) -> bytes:
    try:
        return orjson.dumps(event, default=str, option=_OPTIONS)
    except TypeError:  # half a character, or a number of more than 64 bits: no reason to fail
        return json.dumps(event, default=_plain).encode()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _as_text(_logger: Any, _method: str, line: Any) -> str:
    return str(line, "utf-8")
