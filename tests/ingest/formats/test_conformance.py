"""CDEvents' own conformance examples in every CloudEvents mode: each is read or ignored."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingest.events import Code, Event, EventStatus, Rejection
from ingest.formats.reading import read_request
from ingest.normaliser import TimeWindow, normalise
from ingest.wire import WIRES

EXAMPLES = Path(__file__).parents[2] / "data" / "cdevents"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.json"))
OURS = {f"service_{predicate}" for predicate in ("deployed", "upgraded", "published", "rolledback")}
if "build" in WIRES:
    OURS |= {f"build_{predicate}" for predicate in ("queued", "started", "finished")}

Request = tuple[dict[str, str], bytes]


def envelope(document: dict[str, Any]) -> dict[str, Any]:
    context = document["context"]
    return {
        "specversion": "1.0",
        "id": context["id"],
        "source": context["source"],
        "type": context["type"],
        "time": context["timestamp"],
    }


def structured(outer: dict[str, Any], document: dict[str, Any]) -> Request:
    body = orjson.dumps(outer | {"data": document})
    return {"content-type": "application/cloudevents+json"}, body


def batched(outer: dict[str, Any], document: dict[str, Any]) -> Request:
    body = orjson.dumps([outer | {"data": document}])
    return {"content-type": "application/cloudevents-batch+json"}, body


def binary(outer: dict[str, Any], document: dict[str, Any]) -> Request:
    headers = {f"ce-{name}": value for name, value in outer.items()}
    return headers | {"content-type": "application/json"}, orjson.dumps(document)


Mode = Callable[[dict[str, Any], dict[str, Any]], Request]
in_every_mode = pytest.mark.parametrize("mode", [structured, batched, binary])


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text())
    return document


def read(request: Request) -> Event | Rejection:
    (raw,) = read_request(*request)
    return normalise(raw, TimeWindow(None, None), "shop")


def refused(request: Request) -> tuple[Code, str | None]:
    rejection = read(request)
    assert isinstance(rejection, Rejection), rejection
    assert rejection.status is EventStatus.REJECTED
    return rejection.code, rejection.path


@in_every_mode
@pytest.mark.parametrize("name", NAMES)
def test_a_conformance_example_is_read_or_ignored(mode: Mode, name: str) -> None:
    document = example(name)
    answer = read(mode(envelope(document), document))
    if name in OURS:
        assert isinstance(answer, Event), answer
    else:
        assert isinstance(answer, Rejection), answer
        assert (answer.status, answer.code) == (EventStatus.IGNORED, Code.NOT_RELEVANT)


@in_every_mode
@pytest.mark.parametrize("name", ["service_deployed", "build_finished"])
@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"type": "dev.cdevents.service.removed.0.3.0"}, (Code.CONFLICTING_FIELDS, "context.type")),
        ({"type": "com.acme.thing"}, (Code.CONFLICTING_FIELDS, "context.type")),
        ({"type": "deployment.succeeded"}, (Code.CONFLICTING_FIELDS, "context.type")),
        ({"time": "yesterday"}, (Code.INVALID_TIME, "time")),
        ({"specversion": "9"}, (Code.INVALID_VALUE, "specversion")),
    ],
)
def test_an_envelope_that_contradicts_itself_is_rejected(
    mode: Mode, name: str, change: dict[str, str], answer: tuple[Code, str]
) -> None:
    document = example(name)
    assert refused(mode(envelope(document) | change, document)) == answer


@in_every_mode
@pytest.mark.parametrize("missing", ["specversion", "id", "source", "type"])
def test_an_envelope_needs_its_attributes(mode: Mode, missing: str) -> None:
    document = example("build_finished")
    outer = envelope(document)
    outer.pop(missing)
    assert refused(mode(outer, document)) == (Code.MISSING_FIELD, missing)
