"""The logs of a Kafka broker: all of its lines, and the errors among them.

Docs: docs/import.md.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ingest.importers.events import ImportedEvent
from ingest.importers.facts import Events
from ingest.importers.files import BadRow, Part, Problem, Row, required, text_rows

LOGS = "runtime-logs/kafka0/*.log*"

# [time] LEVEL message (logger); a stack trace may follow on the next lines.
_RECORD = re.compile(r"\[([\d-]{10} [\d:]{8},\d{3})\] ([A-Z]+) (.*)", re.ASCII)
_LOGGER = re.compile(r"(.*) \(([\w.$]+)\)", re.ASCII)
_ERRORS = {"WARN": "warning", "ERROR": "error", "FATAL": "fatal"}


class _Record(NamedTuple):
    """A record of a log, with the lines below it."""

    at: datetime
    level: str
    message: str
    logger: str | None
    below: str


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


def _read(row: Row) -> _Record:
    match = _RECORD.match(row.values["line"])
    if match is None:
        raise BadRow("is no record")
    time, level, text = match.groups()
    named = _LOGGER.fullmatch(text.strip())
    message, logger = named.groups() if named else (text.strip(), None)
    at = datetime.strptime(time, "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)
    return _Record(at, level, required(message, "message"), logger, "".join(row.values["rest"]))


def _occurrence(row: Row) -> list[ImportedEvent]:
    """An occurrence for a warning or an error, with the stack trace below it."""
    record = _read(row)
    if record.level not in _ERRORS:
        return []
    fields: dict[str, Any] = {"message": record.message, "level": _ERRORS[record.level]}
    fields |= {"culprit": record.logger} if record.logger else {}
    fields |= {"stackTrace": record.below} if record.below else {}
    return [_event(row, record, "error.occurred", fields)]


def _line(row: Row) -> list[ImportedEvent]:
    """A line for every record; what stands below it is part of its message."""
    record = _read(row)
    message = f"{record.message}\n{record.below}".strip()
    fields: dict[str, Any] = {"message": message, "level": record.level.lower()}
    fields |= {"logger": record.logger} if record.logger else {}
    return [_event(row, record, "log.line", fields)]


def _event(row: Row, record: _Record, event_type: str, fields: dict[str, Any]) -> ImportedEvent:
    common = {"id": row.location, "type": event_type, "source": "kafka", "project": "kafka"}
    return ImportedEvent(row.location, record.at, common | fields)


KAFKA = Events(
    "kafka",
    "warnings and errors of a Kafka broker, 19 December 2016",
    lambda: [Part(LOGS, _occurrence, _records)],
)
KAFKA_LOGS = Events(
    "kafka-logs",
    "all lines in the logs of that broker",
    lambda: [Part(LOGS, _line, _records)],
)
