"""Every spelling the sources use becomes one event; what is wrong is refused with its place."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from ingest import events as limits
from ingest.bodies import parsed
from ingest.events import Code, Event, Rejection
from ingest.formats.raw import Raw
from ingest.normaliser import TimeWindow, normalise
from storage.dimensions import ENVIRONMENT
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.lifecycle import EventType
from storage.keeping.windows import Retention
from tests.ingest.samples import given

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = TimeWindow.at(NOW)
TIME = "2026-11-20T11:00:00Z"


def raw(**fields: Any) -> dict[str, Any]:
    base = {"type": "deployment.succeeded", "time": TIME, "project": "shop", "deployment": "d1"}
    return {name: value for name, value in (base | fields).items() if value != "absent"}


def read(value: object) -> Event:
    event = normalise(Raw(value), WINDOW)
    assert isinstance(event, Event), event
    return event


def refused(value: object) -> tuple[Code, str | None]:
    rejection = normalise(Raw(value), WINDOW)
    assert isinstance(rejection, Rejection), rejection
    assert rejection.message
    orjson.dumps([rejection.message, rejection.path, rejection.id])  # can always be answered
    return rejection.code, rejection.path


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"status": "success"}, EventType.SUCCEEDED),
        ({"status": "failed"}, EventType.FAILED),
        ({"status": "rolled_back"}, EventType.ROLLED_BACK),
        ({"event": "started"}, EventType.STARTED),
        ({"type": "progress", "status": "in_progress"}, EventType.PROGRESS),
        ({"event": "success"}, EventType.SUCCEEDED),
        ({"event": "failure"}, EventType.FAILED),
        ({"event": "completed", "status": "success", "duration_ms": 12}, EventType.SUCCEEDED),
        ({"event": "completed", "status": "failure"}, EventType.FAILED),
        ({"status": "RUNNING"}, EventType.PROGRESS),
        ({"type": "deployment.rolled_back"}, EventType.ROLLED_BACK),
        ({"type": "deployment-rolled-back"}, EventType.ROLLED_BACK),
        ({"type": "Deployment.Cancelled"}, EventType.CANCELLED),
        ({"type": "canceled"}, EventType.CANCELLED),
        ({"type": "QUEUED"}, EventType.QUEUED),
        ({"type": "deployment.completed", "state": "cancelled"}, EventType.CANCELLED),
    ],
)
def test_words_of_all_sources_mean_one_type(fields: dict[str, Any], kind: EventType) -> None:
    assert read(raw(type="absent") | fields).type == kind


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"type": "exploded"}, (Code.UNKNOWN_TYPE, "type")),
        ({"event_type": "rocket.started", "type": None}, (Code.UNKNOWN_TYPE, "event_type")),
        ({"type": None}, (Code.MISSING_FIELD, "type")),
        ({"type": "completed"}, (Code.MISSING_FIELD, "status")),
        ({"type": "completed", "status": "running"}, (Code.INVALID_VALUE, "status")),
        ({"type": "started", "status": "failed"}, (Code.CONFLICTING_FIELDS, "status")),
        ({"type": "started", "status": "odd"}, (Code.INVALID_VALUE, "status")),
        ({"type": 7}, (Code.INVALID_VALUE, "type")),
        ({"type": "x" * 65}, (Code.INVALID_VALUE, "type")),
    ],
)
def test_types_that_say_nothing_are_refused(
    fields: dict[str, Any], answer: tuple[Code, str]
) -> None:
    assert refused(raw(**fields)) == answer


def test_field_names_of_all_sources_are_read() -> None:
    snake = {
        "event_id": "e1",
        "event": "success",
        "timestamp": TIME,
        "project_id": 7,
        "deployment_id": 42,
        "env": "production",
        "chain": "Metis",
        "template_id": "erc20",
        "duration_ms": 1.5,
        "to_deployment": "d0",
        "error_message": "none",
        "metadata": {"a": 1},
    }
    camel = {
        "eventId": "e1",
        "eventType": "success",
        "occurredAt": TIME,
        "projectId": "7",
        "deploymentId": "42",
        "environment": "production",
        "network": "metis",
        "templateId": "erc20",
        "durationMs": 1.5,
        "toDeployment": "d0",
        "errorMessage": "none",
        "attributes": {"a": 1},
    }
    assert read(snake) == read(camel)
    assert (read(snake).project, read(snake).duration_us) == ("7", 1500)


def test_two_spellings_of_a_field_must_agree() -> None:
    assert read(raw(deploymentId="d1")).entity == "d1"
    assert refused(raw(deploymentId="d2")) == (Code.CONFLICTING_FIELDS, "deploymentId")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-20T11:00:00Z", datetime(2026, 11, 20, 11, tzinfo=UTC)),
        ("2026-11-20t13:30:00.25+02:30", datetime(2026, 11, 20, 11, 0, 0, 250_000, UTC)),
        ("2026-11-20 11:00:00.123456789z", datetime(2026, 11, 20, 11, 0, 0, 123_456, UTC)),
        ("2026-11-19T23:59:60Z", datetime(2026, 11, 20, tzinfo=UTC)),
        (1_795_172_400, datetime(2026, 11, 20, 11, tzinfo=UTC)),
        (1_795_172_400_000, datetime(2026, 11, 20, 11, tzinfo=UTC)),
    ],
)
def test_times_are_read(value: object, expected: datetime) -> None:
    assert read(raw(time=value)).occurred_at == expected


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-20T11:00:00",
        "2026-11-20",
        "20261120T110000Z",
        "2026-W47-5T11:00:00Z",
        "2026-11-20T25:00:00Z",
        "2026-02-30T11:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "٢٠٢٦-11-20T11:00:00Z",
        "yesterday",
        17_951_724_00.5,
        10**30,
        True,
        {},
    ],
)
def test_times_without_zone_or_sense_are_refused(value: object) -> None:
    assert refused(raw(time=value)) == (Code.INVALID_TIME, "time")


def test_a_missing_time_comes_from_a_uuid7_or_not_at_all() -> None:
    milliseconds = int(NOW.timestamp() * 1000)
    seven = UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | 5)
    assert read(raw(time=None, id=str(seven))).occurred_at == NOW
    assert refused(raw(time=None, id=str(UUID(int=5)))) == (Code.MISSING_FIELD, "time")
    assert refused(raw(time=None)) == (Code.MISSING_FIELD, "time")


def test_the_window_is_83_days_back_and_one_day_ahead() -> None:
    def at(moment: datetime) -> dict[str, Any]:
        return raw(timestamp=moment.isoformat(), time=None)

    second = timedelta(seconds=1)
    read(at(NOW - timedelta(days=83)))
    read(at(NOW + timedelta(days=1)))
    assert refused(at(NOW - timedelta(days=83) - second)) == (Code.TOO_OLD, "timestamp")
    assert refused(at(NOW + timedelta(days=1) + second)) == (Code.IN_FUTURE, "timestamp")
    old = at(datetime(2016, 1, 1, tzinfo=UTC))
    assert isinstance(normalise(Raw(old), TimeWindow(None, None)), Event)


def test_the_window_follows_the_retention() -> None:
    def oldest(**days: int) -> datetime | None:
        return TimeWindow.at(NOW, Retention(**days)).oldest_of(DEPLOYMENTS)

    assert oldest(events_days=30) == oldest(fine_days=30) == NOW - timedelta(days=23)
    assert oldest(events_days=3) == NOW - timedelta(days=1)
    assert oldest(events_days=0) == NOW - timedelta(days=83)
    assert oldest(events_days=0, fine_days=0) is None


def test_errors_have_a_window_of_their_own() -> None:
    window = TimeWindow.at(NOW, Retention())
    at = (NOW - timedelta(days=23, seconds=1)).isoformat()
    error = {"type": "error.occurred", "project": "shop", "message": "m", "id": "e", "time": at}
    rejection = normalise(Raw(error), window)
    assert isinstance(rejection, Rejection)
    assert rejection.code is Code.TOO_OLD
    assert isinstance(normalise(Raw(raw(timestamp=at, time=None)), window), Event)
    assert isinstance(normalise(Raw(error), TimeWindow.at(NOW, Retention(error_days=40))), Event)


def test_ids_are_stable_and_belong_to_their_project() -> None:
    uuid = "8f14e45f-ceea-467f-a0e6-3d1f2b0c5a11"
    assert read(raw(id=uuid.upper(), deployment=uuid)).event_id == UUID(uuid)
    assert read(raw(deployment=uuid)).entity_id == UUID(uuid)
    assert read(raw(id="e1")).event_id == read(raw(id="e1", actor="ada")).event_id
    assert read(raw(id="e1")).event_id != read(raw(id="e1", source="ci")).event_id
    assert read(raw(id="e1")).event_id != read(raw(id="e1", project="other")).event_id
    assert read(raw()).entity_id != read(raw(project="other")).entity_id
    assert read(raw(id="e1")).external_id == "e1"


def test_an_event_without_an_id_is_its_content() -> None:
    same = [raw(), raw(time=None, timestamp="2026-11-20T12:00:00+01:00"), raw(environment=" ")]
    assert len({read(value).event_id for value in same}) == 1
    assert read(raw()).event_id != read(raw(actor="ada")).event_id


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"project": None}, (Code.MISSING_FIELD, "project")),
        ({"project": "  "}, (Code.MISSING_FIELD, "project")),
        ({"project": True}, (Code.INVALID_VALUE, "project")),
        ({"deployment": None}, (Code.MISSING_FIELD, "deployment")),
        ({"deployment": 1.5}, (Code.INVALID_VALUE, "deployment")),
        ({"deployment": "x" * 201}, (Code.TOO_LONG, "deployment")),
        ({"deployment": 10**300}, (Code.TOO_LONG, "deployment")),
        ({"environment": "a\x00b"}, (Code.INVALID_TEXT, "environment")),
        ({"environment": "a\nb"}, (Code.INVALID_TEXT, "environment")),
        ({"template": "\ud800"}, (Code.INVALID_TEXT, "template")),
        ({"network": ["metis"]}, (Code.INVALID_VALUE, "network")),
        ({"durationMs": True}, (Code.INVALID_NUMBER, "durationMs")),
        ({"durationMs": "12"}, (Code.INVALID_NUMBER, "durationMs")),
        ({"durationMs": -1}, (Code.INVALID_NUMBER, "durationMs")),
        ({"duration_ms": float("nan")}, (Code.INVALID_NUMBER, "duration_ms")),
        ({"duration_ms": float("inf")}, (Code.INVALID_NUMBER, "duration_ms")),
        ({"durationMs": 10**400}, (Code.INVALID_NUMBER, "durationMs")),
        ({"attributes": [1]}, (Code.INVALID_VALUE, "attributes")),
        ({"attributes": {"a": float("inf")}}, (Code.INVALID_NUMBER, "attributes.a")),
        ({"metadata": {"a": [2**64]}}, (Code.INVALID_NUMBER, "metadata.a.0")),
        ({"attributes": {"a": "x" * 16_384}}, (Code.TOO_LARGE, "attributes")),
        ({"error": 5}, (Code.INVALID_VALUE, "error")),
    ],
)
def test_bad_values_are_refused_with_their_path(
    fields: dict[str, Any], answer: tuple[Code, str]
) -> None:
    assert refused(raw(**fields)) == answer


def test_attributes_may_be_eight_deep_and_no_deeper() -> None:
    deep: dict[str, Any] = {"leaf": 1}
    for _ in range(limits.MAX_ATTRIBUTES_DEPTH - 1):
        deep = {"in": deep}
    assert given(read(raw(attributes=deep)))["attributes"] == deep
    code, path = refused(raw(attributes={"in": deep}))
    assert (code, path) == (Code.TOO_DEEP, "attributes" + ".in" * limits.MAX_ATTRIBUTES_DEPTH)


def test_texts_for_people_are_cleaned_instead_of_losing_the_event() -> None:
    event = read(raw(error="boom\x00 \ud83d end\n", attributes={"k\x00": ["\udc00", "fine"]}))
    assert given(event)["error"] == "boom\ufffd \ufffd end"
    assert given(event)["attributes"] == {"k\ufffd": ["\ufffd", "fine"]}


def test_a_long_error_is_cut_with_a_note() -> None:
    event = read(raw(error_message="x" * 20_000))
    assert len(given(event)["error"]) == limits.MAX_ERROR_LENGTH
    assert event.note is not None
    assert (event.note.code, event.note.path) == (Code.TRUNCATED, "error_message")


def test_a_misspelt_field_gets_a_note() -> None:
    note = read(raw(enviroment="production")).note
    assert note is not None
    assert (note.code, note.path) == (Code.UNKNOWN_FIELD, "enviroment")


@pytest.mark.parametrize("value", [None, 5, "text", [], [{}], True, 1.5])
def test_an_event_that_is_no_object_is_rejected(value: object) -> None:
    assert refused(value) == (Code.NOT_AN_OBJECT, None)


def test_half_characters_in_names_of_fields_can_still_be_answered() -> None:
    value = parsed(b'{"type": "started", "\\ud800": 1, "attributes": {"\\udfff": 1e999}}')
    assert refused(raw() | value | {"time": TIME})[0] is Code.INVALID_NUMBER


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blank_field_is_as_good_as_absent(blank: object) -> None:
    """Templates of pipelines leave empty what they do not know."""
    blanks = {"durationMs": blank, "attributes": blank, "error": blank, "status": blank}
    event = read(raw(timestamp=blank, env=blank, environment="production", **blanks))
    assert (event.name(ENVIRONMENT), event.duration_us) == ("production", None)
    assert given(event)["attributes"] is None
    timed = read(raw(id="01a1f89c-fb80-7000-8000-000000000000", time=blank))
    assert timed.occurred_at == datetime.fromisoformat(TIME)
    assert refused(raw(time=blank)) == (Code.MISSING_FIELD, "time")
