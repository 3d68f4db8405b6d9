"""Errors from two sources: events of Sentry's SDKs, and the log of a Kafka broker.

Docs: docs/import.md.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from ingest.formats.sentry.shapes import usual_shape
from ingest.importers.events import ImportedEvent
from ingest.importers.facts import Events
from ingest.importers.files import BadRow, Part, Problem, Row, plain_name, required, text_rows

# [time] LEVEL message (logger); a stack trace may follow on the next lines.
_RECORD = re.compile(r"\[([\d-]{10} [\d:]{8},\d{3})\] ([A-Z]+) (.*)", re.ASCII)
_LOGGER = re.compile(r"(.*) \(([\w.$]+)\)", re.ASCII)
_LEVELS = {"WARN": "warning", "ERROR": "error", "FATAL": "fatal"}


def _sdk_rows(path: Path) -> Iterator[Row | Problem]:
    """One event in a file, or the events of an envelope: its header, then pairs of item headers
    and contents."""
    document = orjson.loads(path.read_bytes())
    if isinstance(document, list):
        for header, content in zip(document[1::2], document[2::2], strict=True):
            if header["type"] == "event":
                yield Row(plain_name(path), content)
    else:
        yield Row(plain_name(path), document)


def _sent(row: Row) -> list[ImportedEvent]:
    body = usual_shape(row.values)
    at = row.values["timestamp"]
    time = datetime.fromtimestamp(at, UTC) if isinstance(at, float) else row.moment("timestamp")
    names = {name: body[name] for name in ("release", "environment") if body.get(name)}
    return _occurrence(row, time, "glitchtip", row.text("event_id"), payload=body, **names)


def _records(path: Path) -> Iterator[Row | Problem]:
    """The records of a log, each with the lines that follow its first."""
    record: Row | None = None
    for row in text_rows(path):
        if isinstance(row, Problem):
            yield row
        elif _RECORD.match(row.values["line"]):
            if record:
                yield record
            record = Row(row.location, {"line": row.values["line"], "rest": []})
        elif record:
            record.values["rest"].append(row.values["line"])
        else:
            yield Problem(row.location, "belongs to no record")
    if record:
        yield record


def _logged(row: Row) -> list[ImportedEvent]:
    """An occurrence for a warning or an error, with the stack trace below it."""
    match = _RECORD.match(row.values["line"])
    if match is None:
        raise BadRow("is no record")
    time, level, text = match.groups()
    if level not in _LEVELS:
        return []
    named = _LOGGER.fullmatch(text.strip())
    message, logger = named.groups() if named else (text.strip(), None)
    fields: dict[str, Any] = {"message": required(message, "message"), "level": _LEVELS[level]}
    if logger:
        fields["culprit"] = logger
    if row.values["rest"]:
        fields["stackTrace"] = "".join(row.values["rest"])
    at = datetime.strptime(time, "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)
    return _occurrence(row, at, "kafka", row.location, **fields)


def _occurrence(
    row: Row, at: datetime, project: str, event_id: str, **fields: Any
) -> list[ImportedEvent]:
    common = {"id": event_id, "type": "error.occurred", "source": project, "project": project}
    return [ImportedEvent(row.location, at, common | fields)]


GLITCHTIP = Events(
    "glitchtip",
    "errors as SDKs of Sentry send them, from GlitchTip's tests, 2020 to 2022",
    lambda: [Part("error-events/glitchtip/incoming_events/*.json", _sent, _sdk_rows)],
)
KAFKA = Events(
    "kafka",
    "warnings and errors of a Kafka broker, 19 December 2016",
    lambda: [Part("runtime-logs/kafka0/*.log*", _logged, _records)],
)
