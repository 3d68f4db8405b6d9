"""Samples: their values are decimal numbers within bounds, their labels a sorted set."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Code, Event, EventStatus, Rejection
from ingest.formats.raw import Raw
from ingest.intake import Intake
from ingest.normaliser import TimeWindow, normalise
from storage.connections.database import Database
from storage.dimensions import OTHER
from storage.facts.samples import LARGEST, PER_UNIT, SAMPLES
from tests.ingest.conftest import ADMIN, now

SAMPLE = {
    "type": "metric.sample",
    "project": "shop",
    "time": "2026-11-20T09:32:10Z",
    "metric": "load",
}


def read(**fields: Any) -> Event:
    event = normalise(Raw(SAMPLE | {"value": 1} | fields), TimeWindow(None, None))
    assert isinstance(event, Event), event
    return event


def rejection(**fields: Any) -> Rejection:
    refused = normalise(Raw(SAMPLE | {"value": 1} | fields), TimeWindow(None, None))
    assert isinstance(refused, Rejection), refused
    return refused


@given(st.floats(-LARGEST, LARGEST) | st.integers(-LARGEST, LARGEST))
def test_a_value_is_stored_to_nine_decimal_places(value: float) -> None:
    stored = read(value=value).value("value")
    assert stored * PER_UNIT == round(stored * PER_UNIT)
    assert abs(stored - Decimal(value)) <= Decimal("0.0000000005") + abs(Decimal(value)) / 2**53


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (0.1, "0.1"),
        (5, "5"),
        (5.0, "5"),
        (-0.0, "0"),
        (1e18, "1000000000000000000"),
        (-(10**18), "-1000000000000000000"),
        (10**18 - 1, "999999999999999999"),
        (2.5e-10, "0"),
        (-7.25, "-7.25"),
    ],
)
def test_a_value_is_the_decimal_that_was_written(sent: float, stored: str) -> None:
    assert read(value=sent).value("value") == Decimal(stored)


@pytest.mark.parametrize(
    "value", [1.1e18, -(10**18) - 1, 10**400, float("inf"), float("nan"), "12", True, [1]]
)
def test_other_values_are_refused(value: Any) -> None:
    assert rejection(value=value).code is Code.INVALID_NUMBER


def test_the_same_value_in_two_spellings_is_one_event() -> None:
    assert read(value=5).event_id == read(value=5.0).event_id != read(value=5.5).event_id


@pytest.mark.parametrize(
    ("labels", "stored"),
    [
        ({"mode": "idle", "core": 0}, "core=0,mode=idle"),
        ({"core": "0", "mode": " idle "}, "core=0,mode=idle"),
        ("mode=idle, core=0", "core=0,mode=idle"),
        ({"query": "a=b", "empty": "", "none": None}, "query=a=b"),
        ({}, None),
        ("other", "other"),  # as it is archived beyond the limit
    ],
)
def test_labels_are_one_text_in_the_order_of_their_names(labels: Any, stored: str | None) -> None:
    event = read(labels=labels)
    assert event.names == ("load", stored, None)
    assert stored is None or read(labels=stored) == event


@pytest.mark.parametrize(
    ("labels", "code", "path"),
    [
        ({f"l{n}": n for n in range(5)}, Code.TOO_LARGE, "labels"),
        ({"a": "b" * 199}, Code.TOO_LONG, "labels"),
        ({"a": "b,c"}, Code.INVALID_TEXT, "labels.a"),
        ({"a b": "c"}, Code.INVALID_TEXT, "labels"),
        ({"a": "\n\0"}, Code.INVALID_TEXT, "labels.a"),
        ({"": "c"}, Code.INVALID_TEXT, "labels"),
        ({"a": 1.5}, Code.INVALID_VALUE, "labels.a"),
        ({"a": ["b"]}, Code.INVALID_VALUE, "labels.a"),
        ("a=b,a=c", Code.CONFLICTING_FIELDS, "labels"),
        ("abc", Code.INVALID_TEXT, "labels"),
        ("a=b,c", Code.INVALID_TEXT, "labels"),
        ("=b", Code.INVALID_TEXT, "labels"),
        (7, Code.INVALID_VALUE, "labels"),
        (["a=b"], Code.INVALID_VALUE, "labels"),
    ],
)
def test_other_labels_are_refused(labels: Any, code: Code, path: str) -> None:
    refused = rejection(labels=labels)
    assert (refused.code, refused.path) == (code, path)


async def test_a_sender_is_told_when_a_project_has_too_many_labels(
    intake: Intake, database: Database
) -> None:
    most = SAMPLES.series_at_most
    events = [
        {**SAMPLE, "time": now().isoformat(), "value": 1, "labels": {"user": number}}
        for number in range(most + 20)
    ]
    for start in (0, most):
        results = await intake.record(events[start:][:most], ADMIN)
    assert {result.status for result in results} == {EventStatus.ACCEPTED}
    assert {(result.code, result.path) for result in results} == {(Code.COUNTED_AS_OTHER, "type")}
    again = await intake.record(events[most:], ADMIN)
    assert {(result.status, result.code) for result in again} == {(EventStatus.DUPLICATE, None)}
    (known,) = await intake.record([events[0] | {"value": 2}], ADMIN)
    assert (known.status, known.code) == (EventStatus.ACCEPTED, None)
    async with database.connection() as connection:
        counted = "select count from sample_project_day where cell = 2 and label_set_id = $1"
        assert await connection.fetchval(counted, OTHER) == 20
