"""Made-up events of each wire format: well-formed ones, ones with a known fault, and noise."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st

from ingest.wire import WIRES
from ingest.wire.wire import WORDS
from tests.ingest.strategies import made_up_event

Event = dict[str, Any]

PROJECT = "fuzzed"
ACCEPTED, REJECTED, IGNORED = "accepted", "rejected", "ignored"
SERVICE_DEPLOYED = "dev.cdevents.service.deployed.0.2.0"


@dataclass(frozen=True, slots=True)
class MadeUp:
    """One event of a request, the status its result must have and, of a rejection, the code.

    Noise may be ignored or rejected for any reason, but never accepted: its status is None.
    """

    value: Any
    status: str | None = None
    code: str | None = None

    def check(self, result: dict[str, Any]) -> None:
        """Raises AssertionError if the result is none that this event may have."""
        if self.status is None:
            assert result["status"] in (REJECTED, IGNORED), (self.value, result)
        else:
            assert result["status"] == self.status, (self.value, result)
        assert self.code in (None, result.get("code")), (self.value, result)
        assert result["status"] == ACCEPTED or result["message"], (self.value, result)


def encoded(value: Any) -> bytes:
    """As JSON, with what JSON should not hold: endless numbers, lone surrogates, NaN."""
    return json.dumps(value).encode()


ANY_TEXT = st.characters(exclude_categories=())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(ANY_TEXT, max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)

NAMES = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=40)
IDS = st.builds(lambda: str(uuid4()))
TIMES = st.timedeltas(timedelta(0), timedelta(days=80)).map(
    lambda back: (datetime.now(UTC) - back).isoformat()
)
TYPES = st.builds(
    lambda prefix, word: prefix + word,
    st.sampled_from(("", "deployment.")),
    st.sampled_from([word for words in WORDS.values() for word in words]),
)
OPTIONAL = {
    "environment": NAMES,
    "network": NAMES,
    "template": NAMES,
    "framework": NAMES,
    "durationMs": st.integers(0, 10**9) | st.floats(0, 1e9),
    "actor": NAMES,
    "error": st.text(ANY_TEXT, max_size=40),
    "attributes": st.dictionaries(NAMES, st.integers(-(2**63), 2**63) | NAMES, max_size=3),
}
PLAIN = st.fixed_dictionaries(
    {
        "id": IDS,
        "type": TYPES,
        "time": TIMES,
        "project": st.just(PROJECT),
        "deployment": NAMES,
    },
    optional=OPTIONAL,
)
OF_ANY_FACT = st.builds(
    lambda wire, chance: {
        **made_up_event(wire, chance, project=PROJECT, start=datetime.now(UTC) - timedelta(days=1)),
        "id": str(uuid4()),
    },
    st.sampled_from(list(WIRES.values())),
    st.randoms(use_true_random=False),
)
DATA = st.fixed_dictionaries({"project": st.just(PROJECT), "deployment": NAMES}, optional=OPTIONAL)
CLOUD = st.fixed_dictionaries(
    {
        "specversion": st.sampled_from(("1.0", "0.3")),
        "id": IDS,
        "source": NAMES,
        "type": TYPES,
        "time": TIMES,
        "data": DATA,
    }
)
CD = st.fixed_dictionaries(
    {
        "context": st.fixed_dictionaries(
            {"id": IDS, "source": NAMES, "type": st.just(SERVICE_DEPLOYED), "timestamp": TIMES}
        ),
        "subject": st.fixed_dictionaries(
            {"id": NAMES, "content": st.fixed_dictionaries({"environment": NAMES})}
        ),
        "customData": st.just({"project": PROJECT}),
    }
)

# Each fault is a path, the value put there (or GONE), and the code of the rejection.
GONE = object()
Fault = tuple[str, Any, str]
NO_TIMES: tuple[Any, ...] = (
    "2026-03-01T00:00:00",
    "2026-02-30T00:00:00Z",
    "yesterday",
    7,
    1.5,
    [],
    True,
)
FIELD_FAULTS: list[Fault] = [
    ("deployment", GONE, "MISSING_FIELD"),
    ("deployment", " ", "MISSING_FIELD"),
    ("deployment", ["a"], "INVALID_VALUE"),
    ("deployment", "a\0b", "INVALID_TEXT"),
    ("deployment", "\ud800", "INVALID_TEXT"),
    ("deployment", "a" * 201, "TOO_LONG"),
    ("environment", 7, "INVALID_VALUE"),
    ("network", {}, "INVALID_VALUE"),
    ("durationMs", -1, "INVALID_NUMBER"),
    ("durationMs", "12", "INVALID_NUMBER"),
    ("durationMs", float("nan"), "INVALID_NUMBER"),
    ("durationMs", 10**12, "INVALID_NUMBER"),
    ("attributes", [1], "INVALID_VALUE"),
    ("attributes", {"a": float("inf")}, "INVALID_NUMBER"),
    ("attributes", {"a": [[[[[[[[1]]]]]]]]}, "TOO_DEEP"),
    ("attributes", {"a": "b" * 17_000}, "TOO_LARGE"),
]
PLAIN_FAULTS: list[Fault] = [
    *FIELD_FAULTS,
    ("type", GONE, "MISSING_FIELD"),
    ("type", "landed", "UNKNOWN_TYPE"),
    ("type", ["failed"], "INVALID_VALUE"),
    ("time", GONE, "MISSING_FIELD"),
    *(("time", time, "INVALID_TIME") for time in NO_TIMES),
    ("time", "1999-01-01T00:00:00Z", "TOO_OLD"),
    ("time", "2999-01-01T00:00:00Z", "IN_FUTURE"),
    ("deploymentId", "another", "CONFLICTING_FIELDS"),
]
CLOUD_FAULTS: list[Fault] = [
    *((f"data.{path}", value, code) for path, value, code in FIELD_FAULTS),
    ("specversion", None, "MISSING_FIELD"),
    ("specversion", "2.0", "INVALID_VALUE"),
    *((name, GONE, "MISSING_FIELD") for name in ("id", "source", "type", "time")),
    *((name, 7, "MISSING_FIELD") for name in ("id", "source", "type")),
    *(("time", time, "INVALID_TIME") for time in NO_TIMES),
    ("data", [1], "NOT_AN_OBJECT"),
    ("data", "text", "UNREADABLE"),
]
CD_FAULTS: list[Fault] = [
    *((f"context.{name}", GONE, "MISSING_FIELD") for name in ("id", "source", "timestamp")),
    ("context.type", "landed", "UNKNOWN_TYPE"),
    *(("context.timestamp", time, "INVALID_TIME") for time in NO_TIMES),
    ("subject.id", GONE, "MISSING_FIELD"),
    ("subject.content.environment", GONE, "MISSING_FIELD"),
]
CLOUD_OF_OTHERS = {
    "specversion": "1.0",
    "id": "1",
    "source": "/ci",
    "type": "com.example.rocket.launched",
}
CD_OF_OTHERS = {
    "context": {"id": "1", "source": "/ci", "type": "dev.cdevents.incident.detected.0.1.0"},
    "subject": {"id": "2"},
}


def with_fault(event: Event, fault: Fault) -> MadeUp:
    """The event with one value replaced or taken out."""
    path, value, code = fault
    *parents, name = path.split(".")
    changed = deepcopy(event)
    place = changed
    for parent in parents:
        place = place[parent]
    if value is GONE:
        place.pop(name, None)
    else:
        place[name] = value
    return MadeUp(changed, REJECTED, code)


PLAIN_NOISE = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("id", "type", "time", "project", "deployment", "environment", "durationMs"), JSON
    ),
)
CLOUD_NOISE = st.fixed_dictionaries(
    {"specversion": st.sampled_from(["1.0", "0.3", "", None, 7]), "type": st.text(max_size=40)},
    optional=dict.fromkeys(("id", "source", "time", "data", "data_base64", "subject"), JSON),
)
CD_NOISE = st.fixed_dictionaries(
    {
        "context": st.fixed_dictionaries(
            {"type": st.sampled_from([SERVICE_DEPLOYED, "x", ""])},
            optional=dict.fromkeys(("id", "source", "timestamp", "version"), JSON),
        ),
        "subject": JSON,
    }
)
NO_OBJECTS = JSON.filter(lambda value: not isinstance(value, dict))


@dataclass(frozen=True, slots=True)
class Format:
    """What a content type may hold: its events, and whether a body holds one or many."""

    well_formed: st.SearchStrategy[MadeUp]
    others: st.SearchStrategy[MadeUp]
    body: Callable[[list[Any]], bytes]
    is_single: bool = False

    def events(self) -> st.SearchStrategy[list[MadeUp]]:
        """One event, or a well-formed one somewhere among others."""
        if self.is_single:
            return (self.well_formed | self.others).map(lambda event: [event])
        several = st.lists(self.well_formed | self.others, max_size=4)
        return st.builds(lambda one, more: [*more, one], self.well_formed, several).flatmap(
            st.permutations
        )


def _accepted(events: st.SearchStrategy[Event]) -> st.SearchStrategy[MadeUp]:
    return events.map(lambda event: MadeUp(event, ACCEPTED))


def _faulty(events: st.SearchStrategy[Event], faults: list[Fault]) -> st.SearchStrategy[MadeUp]:
    return st.builds(with_fault, events, st.sampled_from(faults))


def _array(values: list[Any]) -> bytes:
    return encoded(values)


def _lines(values: list[Any]) -> bytes:
    return b"\n".join(value if isinstance(value, bytes) else encoded(value) for value in values)


CLOUD_OTHERS = (
    _faulty(CLOUD, CLOUD_FAULTS)
    | CLOUD_NOISE.map(MadeUp)
    | st.just(MadeUp(CLOUD_OF_OTHERS, IGNORED, "NOT_RELEVANT"))
)
NOT_OBJECTS = NO_OBJECTS.map(lambda value: MadeUp(value, REJECTED, "NOT_AN_OBJECT"))
ANY_OTHERS = (
    CLOUD_OTHERS
    | _faulty(PLAIN, PLAIN_FAULTS)
    | _faulty(CD, CD_FAULTS)
    | PLAIN_NOISE.map(MadeUp)
    | CD_NOISE.map(MadeUp)
    | NOT_OBJECTS
    | st.just(MadeUp(CD_OF_OTHERS, IGNORED, "NOT_RELEVANT"))
)
BROKEN_LINES = st.sampled_from((b"{", b"\xff", b'{"id": "1"', b"nothing")).map(
    lambda line: MadeUp(line, REJECTED, "UNREADABLE")
)
ANY_WELL_FORMED = _accepted(PLAIN) | _accepted(OF_ANY_FACT) | _accepted(CLOUD) | _accepted(CD)

FORMATS = {
    "application/json": Format(ANY_WELL_FORMED, ANY_OTHERS, _array),
    "application/x-ndjson": Format(ANY_WELL_FORMED, ANY_OTHERS | BROKEN_LINES, _lines),
    "application/cloudevents-batch+json": Format(
        _accepted(CLOUD), CLOUD_OTHERS | NOT_OBJECTS, _array
    ),
    "application/cloudevents+json": Format(
        _accepted(CLOUD), CLOUD_OTHERS, lambda values: encoded(values[0]), is_single=True
    ),
}
