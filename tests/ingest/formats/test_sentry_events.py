"""Events of SDKs: odd shapes, clocks, filters and transactions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.formats.sentry import filters
from ingest.formats.sentry.shapes import usual_shape
from ingest.formats.sentry.times import AHEAD, BEHIND, event_time, read_time
from ingest.formats.sentry.transactions import api_call

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FAILURE = {"type": "ValueError", "value": "no"}
CRUMB = {"message": "went home"}

SHAPES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"exception": [FAILURE]}, {"exception": {"values": [FAILURE]}}),
    ({"exception": FAILURE}, {"exception": {"values": [FAILURE]}}),
    ({"exception": {"values": [None, FAILURE, 3]}}, {"exception": {"values": [FAILURE]}}),
    ({"exception": {"values": None}}, {}),
    ({"exception": {}}, {}),
    ({"exception": None, "message": "x"}, {"message": "x"}),
    ({"exception": [{"type": 5, "value": None}]}, {"exception": {"values": [{"type": "5"}]}}),
    ({"sentry.interfaces.Exception": [FAILURE]}, {"exception": {"values": [FAILURE]}}),
    ({"breadcrumbs": [CRUMB]}, {"breadcrumbs": {"values": [CRUMB]}}),
    ({"threads": [{"id": 1}]}, {"threads": {"values": [{"id": 1}]}}),
    ({"tags": [["a", 1], ["b", True], ["c"], None]}, {"tags": {"a": "1", "b": "true"}}),
    ({"tags": [{"key": "a", "value": "1"}]}, {"tags": {"a": "1"}}),
    ({"tags": {"a": 1.5, "b": None, "c": {}}}, {"tags": {"a": "1.5"}}),
    ({"tags": "a"}, {}),
    ({"level": "ERROR"}, {"level": "error"}),
    ({"level": "warn"}, {"level": "warning"}),
    ({"level": 40}, {"level": "error"}),
    ({"level": "unheard of"}, {"level": "error"}),
    ({"message": {"formatted": "a 1", "message": "a %s"}},
     {"logentry": {"formatted": "a 1", "message": "a %s"}}),
    ({"message": 404}, {"logentry": {"formatted": "404"}}),
    ({"logentry": "hi"}, {"logentry": {"formatted": "hi"}}),
    ({"user": {"id": 7, "email": None}}, {"user": {"id": "7"}}),
    ({"user": "ada"}, {}),
    ({"request": {"headers": [["A", "b"], ["c"]]}}, {"request": {"headers": {"A": "b"}}}),
    ({"release": 12, "environment": " a\nb "}, {"release": "12", "environment": "a b"}),
    ({"fingerprint": "one"}, {"fingerprint": ["one"]}),
    ({"fingerprint": ["a", 1, None]}, {"fingerprint": ["a", "1"]}),
    ({"stacktrace": {"frames": [{"lineno": "12", "colno": "x"}, None]}},
     {"threads": {"values": [{"stacktrace": {"frames": [{"lineno": 12}]}}]}}),
    ({"extra": [1], "contexts": "x"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), SHAPES)
def test_odd_shapes_become_the_usual_one(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert usual_shape(given) == expected
    assert usual_shape(expected) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["values", "frames", "key", "type"]), inner, max_size=2)
    ),
    max_leaves=4,
)
names = st.sampled_from(
    ["exception", "message", "logentry", "tags", "level", "user", "request", "stacktrace",
     "threads", "breadcrumbs", "extra", "fingerprint", "release", "timestamp", "contexts"]
)  # fmt: skip


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(names, json_values, max_size=3))
def test_no_shape_breaks_what_reads_events(event: dict[str, Any]) -> None:
    shaped = usual_shape(event)
    assert usual_shape(dict(shaped)) == shaped
    filters.matches_text(shaped, ["x", "*y*"])
    filters.matches_release(shaped, ["x*"])
    filters.is_of_legacy_browser(shaped)
    api_call(shaped)
    read_time(shaped.get("timestamp"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1795176000, NOW),
        (1795176000.0, NOW),
        ("1795176000", NOW),
        (1795176000000, NOW),
        ("2026-11-20T12:00:00Z", NOW),
        ("2026-11-20T12:00:00", NOW),
        ("2026-11-20 12:00:00.000000000", NOW),
        ("2026-11-20T13:00:00+01:00", NOW),
        ("2026-11-20T13:00:00+0100", NOW),
        ("2026-11-20", None),
        ("soon", None),
        (None, None),
        (True, None),
        (-5, None),
        (float("nan"), None),
        (10**400, None),
        ({}, None),
    ],
)
def test_times_are_read_in_each_form(value: Any, expected: datetime | None) -> None:
    assert read_time(value) == expected


def test_a_right_clock_keeps_the_time_of_the_event() -> None:
    for late in (timedelta(0), BEHIND):
        time = event_time(NOW - timedelta(days=2), NOW - late, NOW)
        assert (time.at, time.is_assigned) == (NOW - timedelta(days=2), False)


@pytest.mark.parametrize("drift", [AHEAD * 2, -2 * BEHIND, timedelta(days=9000)])
def test_a_wrong_clock_is_corrected_by_its_difference(drift: timedelta) -> None:
    happened = NOW - timedelta(minutes=3)
    time = event_time(happened + drift, NOW + drift, NOW)
    assert (time.at, time.is_assigned) == (happened, True)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_no_event_is_of_the_future(timestamp: datetime | None, sent_at: datetime | None) -> None:
    time = event_time(timestamp, sent_at, NOW)
    assert time.at <= NOW + AHEAD
    assert time.is_assigned or time.at == timestamp


AGENTS = {
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.0)": True,
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko": True,
    "Mozilla/5.0 (Windows NT 10.0) Chrome/64.0 Safari/537.36 Edge/17.17134": True,
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0": False,
    "Opera/9.80 (X11; Linux) Presto/2.12.388 Version/12.16": True,
    "Mozilla/5.0 (X11; Linux x86_64; rv:60.0) Gecko/20100101 Firefox/60.0": True,
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0": False,
    "Mozilla/5.0 (Macintosh) AppleWebKit/601.7.7 Version/9.1.2 Safari/601.7.7": True,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile/15E148 Safari/604.1": False,
    "Mozilla/5.0 (Linux; U; Android 2.3.4) AppleWebKit/533.1 Version/4.0 Mobile Safari/533.1": True,
    "curl/8": False,
}


@pytest.mark.parametrize(("agent", "is_legacy"), AGENTS.items())
def test_legacy_browsers_are_known_by_their_agent(agent: str, is_legacy: bool) -> None:
    event = {"platform": "javascript", "request": {"headers": {"user-agent": agent}}}
    assert filters.is_of_legacy_browser(event) is is_legacy


def test_brackets_in_patterns_mean_themselves() -> None:
    event = {"message": "[object Object] is no list"}
    assert filters.matches_text(event, ["[OBJECT object]"])
    assert filters.matches_text(event, ["[object*"])
    assert not filters.matches_text(event, ["[a-z]*"])


def transaction(**changes: Any) -> dict[str, Any]:
    given = {
        "type": "transaction",
        "transaction": "/orders/{id}",
        "request": {"method": "get"},
        "start_timestamp": 100.0,
        "timestamp": 100.25,
        "contexts": {"trace": {"op": "http.server", "status": "ok"}},
    }
    return given | changes


def test_a_request_of_a_server_is_an_api_call() -> None:
    call = api_call(transaction(environment="live", user={"id": "7"}))
    assert call == {
        "endpoint": "/orders/{id}",
        "method": "GET",
        "status": 200,
        "durationMs": 250.0,
        "environment": "live",
        "user": "7",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"contexts": {"trace": {"op": "http.client", "status": "ok"}}},
        {"contexts": {"trace": {"op": "http.server"}}},
        {"contexts": None},
        {"request": None},
        {"transaction": ""},
    ],
)
def test_other_transactions_are_not(changes: dict[str, Any]) -> None:
    assert api_call(transaction(**changes)) is None


def test_ids_in_paths_are_left_out_where_the_route_is_not_known() -> None:
    path = "GET /a/7/b2/0f8fad5b-d9cb-469f-a165-70867728950e/deadbeefdeadbeef/x?token=1"
    for source, expected in (("url", "/a/{id}/b2/{id}/{id}/x"), ("route", path[4:])):
        call = api_call(transaction(transaction=path, transaction_info={"source": source}))
        assert call is not None
        assert call["endpoint"] == expected


def test_status_and_method_are_found_where_sdks_put_them() -> None:
    trace = {"op": "http.server", "data": {"http.response.status_code": 404}, "status": "ok"}
    call = api_call(transaction(transaction="POST /a b", request=None, contexts={"trace": trace}))
    assert call is not None
    assert (call["method"], call["endpoint"], call["status"]) == ("POST", "/a b", 404)
