"""The log lines of requests, as they would be written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateway.logs import RequestLine


@contextmanager
def request_lines() -> Iterator[list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []
    before = RequestLine.write_line
    RequestLine.write_line = lambda line: lines.append(json.loads(line))
    try:
        yield lines
    finally:
        RequestLine.write_line = before
