"""Log lines: a JSON object each, from our code and from libraries, without secrets."""

import io
import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog

from gateway.observability import logs
from tests.gateway.request_lines import log_output

log = structlog.get_logger()


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    with log_output() as output:
        yield output


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(text) for text in stream.getvalue().splitlines()]


def test_event_is_json_with_time_level_and_request_id(stream: io.BytesIO) -> None:
    token = logs.REQUEST_ID.set("r-1")
    log.warning("something", count=2, at=object())
    log.debug("too quiet")
    logs.REQUEST_ID.reset(token)
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["count"]) == ("something", "warning", 2)
    assert line["request_id"] == "r-1"
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)


def test_an_event_has_a_level_a_message_and_fields(stream: io.BytesIO) -> None:
    logs.log_event("error", "payment failed", attempt=3, provider="acme", token="abc")
    logs.log_event("debug", "too quiet")
    (line,) = lines(stream)
    assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() == timedelta(0)
    assert line == {
        "event": "payment failed",
        "level": "error",
        "attempt": 3,
        "provider": "acme",
        "token": "[hidden]",
    }


def test_secrets_are_hidden_by_their_name(stream: io.BytesIO) -> None:
    log.info("sent", token="abc", Authorization="abc", db_password="abc")
    assert b"abc" not in stream.getvalue()


def test_libraries_log_in_the_same_form(stream: io.BytesIO) -> None:
    try:
        raise ValueError("a fault")
    except ValueError:
        logging.getLogger("library").exception("it failed: %s", "here")
    (line,) = lines(stream)
    assert (line["event"], line["logger"]) == ("it failed: here", "library")
    assert "ValueError: a fault" in line["exception"]


@pytest.mark.parametrize("value", ["\ud800", 10**30])
def test_values_that_orjson_refuses_are_logged(stream: io.BytesIO, value: object) -> None:
    log.info("request", subject=value)
    (line,) = lines(stream)
    assert (line["event"], line["subject"]) == ("request", value)


def test_closed_log_stream_breaks_nothing(stream: io.BytesIO) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    output = os.fdopen(writing, "wb")
    logs.configure("info", output)
    for _ in range(200):  # more than the buffer holds
        log.info("something")
        logging.getLogger("library").warning("something")
    assert stream.getvalue() == b""
    with suppress(BrokenPipeError):
        output.close()
