"""Checks of web sites by Upptime: whether each was up, its HTTP status and its response time.

Docs: docs/import.md.
"""

from typing import Any

from ingest.importers.events import ImportedEvent
from ingest.importers.facts import Events
from ingest.importers.files import BadRow, Part, Row

_NAME = "uptime"
_STATES = {"up": 1, "down": 0}


def _checked(row: Row) -> list[ImportedEvent]:
    """A sample for each thing that a check found; without an answer it found no status and time."""
    state = _STATES.get(row.text("status"))
    if state is None:
        raise BadRow("status is neither up nor down")
    samples = [_sample(row, "site_up", state)]
    if status := int(row.number("http_code")):
        samples.append(_sample(row, "site_http_status", status))
        samples.append(_sample(row, "site_response_ms", row.number("response_ms")))
    return samples


def _sample(row: Row, metric: str, value: float) -> ImportedEvent:
    at = row.moment("checked_at")
    event: dict[str, Any] = {
        "id": f"{row.location}:{metric}",
        "type": "metric.sample",
        "source": _NAME,
        "project": _NAME,
        "metric": metric,
        "value": value,
        "labels": {"site": row.text("site")},
    }
    return ImportedEvent(row.location, at, event)


UPTIME = Events(
    _NAME,
    "checks of web sites, ten days of 2026",
    lambda: [Part("uptime/checks.csv", _checked)],
)
