"""What a plain event says of an error, and its payload, become one body in the usual shape."""

from typing import Any

import pytest

from ingest.errors.composing import body_of, tag_of, user_of
from ingest.events import Event
from ingest.formats.raw import Raw
from ingest.normaliser import TimeWindow, normalise

TRACE = 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\nKeyError: b'


def composed(**fields: Any) -> dict[str, Any]:
    given = {"type": "error.occurred", "project": "shop", "time": "2026-05-01T10:00:00Z"}
    event = normalise(Raw(given | fields), TimeWindow(None, None), None)
    assert isinstance(event, Event)
    return body_of(event)


def test_a_payload_of_any_shape_is_brought_into_the_usual_one() -> None:
    body = composed(payload={"exception": [{"type": "E", "value": 3}], "tags": [["a", 1]]})
    assert body == {"exception": {"values": [{"type": "E", "value": "3"}]}, "tags": {"a": "1"}}


def test_what_the_event_says_wins_over_its_payload() -> None:
    payload = {"tags": {"a": "1", "b": "2"}, "release": "1", "user": {"id": 7, "email": "x@y.de"}}
    said = composed(payload=payload, tags={"b": 3, "c": {}}, release="2", user="u1")
    assert said["tags"] == {"a": "1", "b": "3"}
    assert (said["release"], said["user"]) == ("2", {"id": "u1", "email": "x@y.de"})


def test_a_stack_trace_is_the_exception_and_another_text_is_kept() -> None:
    (failure,) = composed(stackTrace=TRACE, message="no b")["exception"]["values"]
    assert (failure["type"], failure["value"]) == ("KeyError", "no b")
    assert composed(stackTrace="somewhere", message="no b") == {
        "message": "no b",
        "extra": {"stackTrace": "somewhere"},
    }
    assert composed(errorType="E")["exception"] == {"values": [{"type": "E"}]}


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"id": "7", "username": "ada"}, "7"),
        ({"username": "ada", "email": "ada@example.org"}, "ada"),
        ({"email": "ada@example.org"}, "ada@example.org"),
        ({"id": "x" * 400}, "x" * 300),
        # The hash of an address can be turned back by trying all of them.
        ({"ip_address": "203.0.113.9"}, None),
        ({}, None),
    ],
)
def test_a_user_is_known_by_id_name_or_address_of_mail(
    user: dict[str, str], expected: str | None
) -> None:
    assert user_of({"user": user}) == expected


def test_tags_are_read_without_spaces() -> None:
    body = {"tags": {"network": " mainnet ", "empty": " "}}
    assert [tag_of(body, name) for name in ("network", "empty", "other")] == ["mainnet", None, None]
