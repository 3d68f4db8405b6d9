"""CloudEvents in every form, with our own JSON as data."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from ingest.events import Code, Event, Rejection
from ingest.formats.reading import read_request
from ingest.normaliser import TimeWindow, normalise
from storage.facts.lifecycle import EventType

STRUCTURED = {"content-type": "application/cloudevents+json; charset=UTF-8"}
BATCHED = {"content-type": "application/cloudevents-batch+json"}
WINDOW = TimeWindow(None, None)
DATA = {"project": "shop", "deployment": "d1", "network": "metis", "durationMs": 20}
ENVELOPE = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/ci/1",
    "type": "deployment.succeeded",
    "time": "2026-11-20T11:00:00Z",
}


def read(headers: dict[str, str], body: Any) -> list[Event | Rejection]:
    raws = read_request(headers, body if isinstance(body, bytes) else orjson.dumps(body))
    return [normalise(raw, WINDOW) for raw in raws]


def one(headers: dict[str, str], body: Any) -> Event:
    (event,) = read(headers, body)
    assert isinstance(event, Event), event
    return event


def refused(value: Any) -> tuple[Code, str | None]:
    (rejection,) = read(STRUCTURED, value)
    assert isinstance(rejection, Rejection), rejection
    return rejection.code, rejection.path


def test_structured_batched_and_binary_forms_are_the_same_event() -> None:
    structured = one(STRUCTURED, ENVELOPE | {"data": DATA})
    assert structured.type == EventType.SUCCEEDED
    assert structured.occurred_at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert (structured.source, structured.external_id) == ("/ci/1", "e1")
    assert structured.duration_us == 20_000
    encoded = b64encode(orjson.dumps(DATA)).decode()
    binary = {f"Ce-{name.title()}": value for name, value in ENVELOPE.items()}
    others = [
        one(STRUCTURED, ENVELOPE | {"data_base64": encoded}),
        one(STRUCTURED, ENVELOPE | {"data": orjson.dumps(DATA).decode()}),
        one({"content-type": "application/json"}, [ENVELOPE | {"data": DATA}]),
        one(binary | {"content-type": "application/json"}, DATA),
        *read(BATCHED, [ENVELOPE | {"data": DATA}] * 2),
    ]
    assert others == [structured] * 6


def test_version_0_3_with_encoded_data_is_read() -> None:
    encoded = b64encode(orjson.dumps(DATA)).decode()
    old = ENVELOPE | {"specversion": "0.3", "datacontentencoding": "base64", "data": encoded}
    assert one(STRUCTURED, old).entity == "d1"


def test_binary_headers_are_percent_decoded() -> None:
    headers = {f"ce-{name}": value for name, value in ENVELOPE.items()}
    headers |= {"ce-source": "/ci/%C3%A9t%C3%A9", "ce-id": '"e 1"'}
    event = one(headers | {"content-type": "application/json"}, DATA)
    assert (event.source, event.external_id) == ("/ci/été", "e 1")


def test_a_structured_content_type_wins_over_headers() -> None:
    headers = STRUCTURED | {"ce-specversion": "1.0", "ce-id": "other", "ce-source": "/x"}
    assert one(headers, ENVELOPE | {"data": DATA}).external_id == "e1"


def test_the_envelope_fills_what_the_data_lacks() -> None:
    bare = ENVELOPE | {"project": "shop", "subject": "d9", "type": "com.acme.deployment.failed"}
    event = one(STRUCTURED, bare)
    assert (event.project, event.entity, event.type) == ("shop", "d9", EventType.FAILED)
    given = one(STRUCTURED, bare | {"data": DATA | {"time": "2026-11-20T10:00:00Z"}})
    assert given.entity == "d1"
    assert given.occurred_at.hour == 11
    untimed = {name: value for name, value in bare.items() if name != "time"}
    timed = one(STRUCTURED, untimed | {"data": DATA | {"timestamp": "2026-11-20T10:00:00Z"}})
    assert timed.occurred_at.hour == 10


def test_ids_count_within_their_source_even_uuids() -> None:
    uuid = "8f14e45f-ceea-467f-a0e6-3d1f2b0c5a11"
    here = one(STRUCTURED, ENVELOPE | {"id": uuid, "data": DATA})
    there = one(STRUCTURED, ENVELOPE | {"id": uuid, "source": "/ci/2", "data": DATA})
    assert here.event_id != there.event_id
    assert here.event_id == one(STRUCTURED, ENVELOPE | {"id": uuid, "data": DATA}).event_id


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"specversion": "2.0"}, (Code.INVALID_VALUE, "specversion")),
        ({"specversion": None}, (Code.MISSING_FIELD, "specversion")),
        ({"id": ""}, (Code.MISSING_FIELD, "id")),
        ({"source": None}, (Code.MISSING_FIELD, "source")),
        ({"type": 5}, (Code.MISSING_FIELD, "type")),
        ({"data": DATA | {"type": 5}, "type": "com.acme.thing"}, (Code.INVALID_VALUE, "type")),
        ({"time": "2026-11-20T11:00:00"}, (Code.INVALID_TIME, "time")),
        ({"time": "yesterday"}, (Code.INVALID_TIME, "time")),
        ({"time": "2026-11-31T11:00:00Z"}, (Code.INVALID_TIME, "time")),
        ({"time": ""}, (Code.INVALID_TIME, "time")),
        ({"time": 5, "type": "com.acme.thing"}, (Code.INVALID_TIME, "time")),
        ({"data": [1]}, (Code.NOT_AN_OBJECT, "data")),
        ({"data": "<xml/>"}, (Code.UNREADABLE, "data")),
        ({"data_base64": "***"}, (Code.UNREADABLE, "data")),
        ({"data_base64": 5}, (Code.UNREADABLE, "data")),
        ({"data": DATA | {"durationMs": "long"}}, (Code.INVALID_NUMBER, "data.durationMs")),
        ({"data": {"project": "shop"}}, (Code.MISSING_FIELD, "data.deployment")),
    ],
)
def test_a_rejection_names_the_field_at_fault(
    change: dict[str, Any], answer: tuple[Code, str]
) -> None:
    assert refused(ENVELOPE | {"data": DATA} | change) == answer


def test_one_bad_event_does_not_sink_a_batch() -> None:
    good = ENVELOPE | {"data": DATA}
    kinds = [type(item) for item in read(BATCHED, [good, 5, {"specversion": "1.0"}, good])]
    assert kinds == [Event, Rejection, Rejection, Event]


@pytest.mark.parametrize("kind", ["com.acme.thing", "com.acme.deployment.exploded", "rocket.ended"])
@pytest.mark.parametrize("data", [DATA, [1], "<xml/>", None])
def test_a_type_that_means_nothing_here_is_none_of_ours(kind: str, data: object) -> None:
    envelope = ENVELOPE | {"type": kind}
    assert refused(envelope | {"data": data}) == (Code.NOT_RELEVANT, "type")
    binary = {f"ce-{name}": value for name, value in envelope.items()}
    (rejection,) = read(binary | {"content-type": "text/xml"}, b"<xml/>")
    assert isinstance(rejection, Rejection)
    assert rejection.code is Code.NOT_RELEVANT


def test_the_datas_own_type_counts_where_the_envelopes_means_nothing() -> None:
    kind = {"type": "com.acme.thing"}
    assert one(STRUCTURED, ENVELOPE | kind | {"data": DATA | {"type": "failed"}}).type == (
        EventType.FAILED
    )
    other = ENVELOPE | kind | {"data": DATA | {"type": "launched"}}
    assert refused(other) == (Code.NOT_RELEVANT, "type")


def test_the_rejection_of_a_version_names_the_supported_ones() -> None:
    (rejection,) = read(STRUCTURED, ENVELOPE | {"specversion": "2.0", "data": DATA})
    assert isinstance(rejection, Rejection)
    assert rejection.message == "specversion must be 1.0 or 0.3"


def test_a_cloudevent_without_specversion_is_refused_in_every_mode() -> None:
    bare = {name: value for name, value in ENVELOPE.items() if name != "specversion"}
    plain = bare | {"type": "deployment.failed", "data": DATA} | DATA
    binary = {f"ce-{name}": value for name, value in bare.items()}
    rejected = [
        *read(STRUCTURED, plain),
        *read(BATCHED, [plain]),
        *read(binary | {"content-type": "application/json"}, DATA),
    ]
    for rejection in rejected:
        assert isinstance(rejection, Rejection)
        assert (rejection.code, rejection.path) == (Code.MISSING_FIELD, "specversion")
    assert isinstance(one({"content-type": "application/json"}, plain), Event)
