"""Error texts of deployments, builds and functions come without secrets."""

from datetime import UTC, datetime

from ingest.errors.told_texts import without_secrets
from ingest.events import Event
from ingest.formats.raw import Raw
from ingest.normaliser import TimeWindow, normalise

_EVENT = {
    "type": "deployment.failed",
    "deployment": "d1",
    "project": "shop",
    "time": "2026-05-01T10:00:00Z",
}


def _failed(error: str) -> Event:
    raw = Raw(_EVENT | {"error": error})
    event = normalise(raw, TimeWindow(None, None), None)
    assert isinstance(event, Event)
    return event


def test_the_text_loses_its_secrets_and_the_event_keeps_its_id() -> None:
    event = _failed("could not push: password=hunter2 for ada@example.org")
    clean = without_secrets(event)
    assert clean.value("error") == "could not push: password=[secret] for [email]"
    assert clean.event_id == event.event_id
    assert clean.occurred_at == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert without_secrets(clean) is clean


def test_the_address_of_a_repository_loses_its_token() -> None:
    given = _EVENT | {"repository": "https://x:Zx9kQ4mV7wTr@github.com/shop/shop"}
    event = normalise(Raw(given), TimeWindow(None, None))
    assert isinstance(event, Event)
    clean = without_secrets(event)
    assert clean.value("repository") == "https://[secret]@github.com/shop/shop"


def test_a_text_without_secrets_stays() -> None:
    event = _failed("exit status 1: no such file")
    assert without_secrets(event) is event
