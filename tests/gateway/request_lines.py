"""Captures log lines."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from gateway.observability import logs


@contextmanager
def log_output(level: str = "info") -> Iterator[io.BytesIO]:
    """The log output of the block."""
    root, before = logging.getLogger(), structlog.get_config()
    root_before = root.handlers, root.level
    output = io.BytesIO()
    logs.configure(level, output)
    structlog.configure(cache_logger_on_first_use=False)  # or cached loggers would keep this stream
    try:
        yield output
    finally:
        structlog.configure(**before)
        root.handlers, root.level = root_before


@contextmanager
def request_lines() -> Iterator[list[dict[str, Any]]]:
    """The log lines of the requests in the block, filled at its end."""
    lines: list[dict[str, Any]] = []
    with log_output() as output:
        yield lines
    written = map(json.loads, output.getvalue().splitlines())
    lines.extend(line for line in written if line["event"] == "request")
