"""Errors as the SDKs of Sentry send them.

Docs: docs/import.md.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson

from ingest.formats.sentry.shapes import usual_shape
from ingest.importers.events import ImportedEvent
from ingest.importers.facts import Events
from ingest.importers.files import Part, Problem, Row, plain_name


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
    common = {"id": row.text("event_id"), "type": "error.occurred", "payload": body}
    common |= {"source": "glitchtip", "project": "glitchtip"}
    return [ImportedEvent(row.location, time, common | names)]


GLITCHTIP = Events(
    "glitchtip",
    "errors as SDKs of Sentry send them, from GlitchTip's tests, 2020 to 2022",
    lambda: [Part("error-events/glitchtip/incoming_events/*.json", _sent, _sdk_rows)],
)
