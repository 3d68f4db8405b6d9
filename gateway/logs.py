"""Structured logs: one JSON object a line with ISO time, level, event and request id."""

import logging
import sys
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor

SECRET_NAMES = ("authorization", "token", "password", "secret", "cookie")


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send every log line of the process, those of libraries too, to one place in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(serializer=_dump),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def log_event(level: str, message: str, **fields: Any) -> None:
    """Write one event that belongs to no module in particular."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.get_logger("gateway.events").log(number, message, **fields)


def _hide_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for name in event:
        if any(secret in name.lower() for secret in SECRET_NAMES):
            event[name] = "[hidden]"
    return event


def _dump(event: Any, **_options: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
