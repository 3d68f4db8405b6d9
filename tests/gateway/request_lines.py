"""The log lines of requests, as they would be written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateway.logs import RequestLine


@contextmanager
def request_lines() -> Iterator[list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []
    before = RequestLine.written_by
    RequestLine.written_by = lambda text: lines.extend(map(json.loads, text.splitlines()))
    try:
        yield lines
    finally:
        RequestLine.written_by = before
