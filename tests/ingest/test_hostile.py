"""Every body gets a result for each event or is refused as a whole; well-formed events are read."""

import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.events import Event, Rejection
from ingest.formats.reading import read_request, unpacked
from ingest.normaliser import TimeWindow, normalise
from ingest.wire import WIRES
from storage.errors import GatewayError
from tests.ingest.made_up_events import ACCEPTED, FORMATS, REJECTED, MadeUp

TYPES = [
    "application/json",
    "application/x-ndjson",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
]
NAMES = [
    *(name for wire in WIRES.values() for name in wire.slots),
    *("specversion", "data", "data_base64", "datacontentencoding", "subject", "content"),
    *("context", "customData", "timestamp", "outcome", "errors", "artifactId", "chainId"),
]
WORDS = [
    *(wire.typed(type_) for wire in WIRES.values() for type_ in wire.types),
    *("completed", "success", "1.0", "0.3", "base64", "2026-11-20T11:00:00Z"),
    *("dev.cdevents.service.deployed.0.3.0", "dev.cdevents.service.rolledback.0.1.0"),
    *("dev.cdevents.pipelinerun.finished.0.2.0", "dev.cdeventsx.a-deployment.failed.0.1.0"),
    *("e1", "shop", "\x00", "\ud800", ""),
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(WORDS),
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=8),
    ),
    max_leaves=25,
)


def answers(headers: dict[str, str], body: bytes) -> None:
    try:
        raws = read_request(headers, unpacked(headers, body))
    except GatewayError:
        return
    for raw in raws:
        read = normalise(raw, TimeWindow(None, None), "shop")
        if isinstance(read, Rejection):
            orjson.dumps([read.code, read.message, read.path, read.id])
        else:
            assert isinstance(read, Event)
            orjson.dumps([read.names, read.values, read.external_id, read.source])


@given(documents, st.sampled_from(TYPES))
@settings(max_examples=400, deadline=None)
def test_any_document_is_answered(document: Any, kind: str) -> None:
    answers({"content-type": kind}, json.dumps(document).encode())


@given(st.binary(max_size=200), st.sampled_from(TYPES), st.sampled_from(["", "gzip", "deflate"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_answered(body: bytes, kind: str, encoding: str) -> None:
    answers({"content-type": kind, "content-encoding": encoding}, body)


@given(st.dictionaries(st.sampled_from(["id", "source", "type", "time", "subject"]), st.text()))
@settings(max_examples=100, deadline=None)
def test_any_headers_are_answered(attributes: dict[str, str]) -> None:
    headers = {f"ce-{name}": value for name, value in attributes.items()}
    answers(headers | {"ce-specversion": "1.0"}, b"{}")


@pytest.mark.parametrize("content_type", list(FORMATS))
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_well_formed_events_are_read_and_all_others_are_refused(
    content_type: str, data: st.DataObject
) -> None:
    wire = FORMATS[content_type]
    events: list[MadeUp] = data.draw(wire.events())
    body = wire.body([event.value for event in events])
    raws = read_request({"content-type": content_type}, body)
    for event, raw in zip(events, raws, strict=True):
        read = normalise(raw, TimeWindow.at(datetime.now(UTC)), "shop")
        if event.status == ACCEPTED:
            assert isinstance(read, Event), read
        else:
            assert isinstance(read, Rejection), event.value
            assert event.status != REJECTED or read.code == event.code, (event.value, read)
