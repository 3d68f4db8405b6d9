"""Real error events and log lines, as the events that they would be sent as."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest.errors.stack_texts import frames_of_text
from tests.ingest.errors.bodies import DATA, GLITCHTIP, sent

_KAFKA_RECORD = re.compile(
    r"\[(?P<time>[^]]+)\] (?P<level>WARN|ERROR) (?P<message>.*) \((?P<logger>[\w.]+)\)"
)
_BUILD_PREFIX = re.compile(r"[0-9:]{8} +[A-Z]+ - +")


@dataclass(frozen=True)
class Real:
    """A real error, and the name under which its source lists it."""

    name: str
    body: dict[str, Any]


def glitchtip() -> Iterator[Real]:
    """Yields the events that SDKs sent, without those that only Sentry's answer is known of."""
    for file in sorted((GLITCHTIP / "incoming_events").glob("*.json")):
        yield Real(file.stem, sent(file.stem))
    for name in ("js_event", "py_error", "py_hi_event"):
        yield Real(name, json.loads((GLITCHTIP / f"{name}.json").read_text()))


def kafka() -> Iterator[Real]:
    """Yields the warnings and errors of a broker's logs, each with the stack trace below it."""
    for file in sorted((DATA / "runtime-logs" / "kafka0").iterdir()):
        records = re.split(r"^(?=\[\d{4}-)", file.read_text(), flags=re.MULTILINE)
        for record in filter(None, records):
            first, _, stack = record.partition("\n")
            found = _KAFKA_RECORD.match(first)
            assert found, first
            body: dict[str, Any] = {"logentry": {"message": found["message"]}}
            if values := frames_of_text(stack):
                body["exception"] = {"values": values}
            yield Real(found["message"], body | {"logger": found["logger"]})


def builds() -> Iterator[Real]:
    """Yields the lines that Treeherder finds in the logs of failed builds."""
    for file in sorted((DATA / "build-logs").glob("*.json")):
        for line in json.loads(file.read_text())["errors"]:
            message = _BUILD_PREFIX.sub("", line["line"], count=1)
            yield Real(file.name.partition(".")[0], {"message": message})


SOURCES = {"SDKs": glitchtip, "Kafka": kafka, "builds": builds}
