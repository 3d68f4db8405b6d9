"""Envelopes of SDKs: whatever surrounds an event, it is found."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.formats.sentry.envelope import MAX_ITEMS, envelope_header, read_envelope
from storage.errors import InvalidInput, LimitExceeded

EVENT = {"event_id": "a" * 32, "message": "hi", "type": "error"}
PAYLOAD = json.dumps(EVENT).encode()
HEADER = b'{"event_id":"' + b"b" * 32 + b'"}\n'


def events(body: bytes) -> list[Any]:
    """The payloads of the items of type `event`."""
    found = (item for item in read_envelope(body).items if item.type == "event")
    return [json.loads(item.payload) for item in found]


def with_length(payload: bytes, **header: Any) -> bytes:
    fields = {"type": "event", "length": len(payload), **header}
    return json.dumps(fields).encode() + b"\n" + payload


@pytest.mark.parametrize(
    "items",
    [
        with_length(PAYLOAD),
        with_length(PAYLOAD) + b"\n",
        with_length(PAYLOAD) + b"\r\n\r\n",
        b"\n\n" + with_length(PAYLOAD),
        b'{"type":"event"}\n' + PAYLOAD,
        b'{"type":"event"}\n' + PAYLOAD + b"\n\n\n",
        b'{"type":"event","length":"%d"}\n' % len(PAYLOAD) + PAYLOAD,
        with_length(PAYLOAD, length=5),
        with_length(PAYLOAD, length=10**30),
        with_length(PAYLOAD, length=-1),
        with_length(PAYLOAD, length=None),
        with_length(PAYLOAD, length=True),
        with_length(PAYLOAD, unknown={"deep": [1]}),
        b'{"type":"attachment","length":7}\nab\ncd\n!\n' + with_length(PAYLOAD),
        b'{"type":"of the future"}\nwhatever\n' + with_length(PAYLOAD),
        b'{"type":"session","length":0}\n\n' + with_length(PAYLOAD),
        b'{"type":"session"}\n\n' + with_length(PAYLOAD),
        b'{"type":"span","length":2}\n{}\n' + with_length(PAYLOAD) + b'\n{"type":"log"}',
        b"{no json\n" + PAYLOAD + b"\n" + with_length(PAYLOAD),
        b'{"length":3}\nabc\n' + with_length(PAYLOAD),
        b'{"type":7}\n{}\n' + with_length(PAYLOAD),
        b"[1]\n{}\n" + with_length(PAYLOAD),
        b"\xff\xfe\n\x00\n" + with_length(PAYLOAD),
        b'{"type":"x","a":"' + b"x" * 20_000 + b'"}\n{}\n' + with_length(PAYLOAD),
    ],
)
def test_an_event_is_found_whatever_is_beside_it(items: bytes) -> None:
    assert events(HEADER + items) == [EVENT]


def test_a_payload_may_hold_line_ends_where_its_length_is_known() -> None:
    payload = json.dumps(EVENT, indent=1).encode()
    body = HEADER + with_length(payload) + b"\n" + with_length(PAYLOAD)
    assert events(body) == [EVENT, EVENT]


def test_repeated_items_are_all_there() -> None:
    assert len(events(HEADER + (with_length(PAYLOAD) + b"\n") * 3)) == 3


@pytest.mark.parametrize("body", [b"", b"\n", b"[]\n", b"null\n{}", b'{"a":', b"\x00"])
def test_a_body_without_a_header_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_envelope(body)
    assert envelope_header(body) == {}


def test_items_are_limited() -> None:
    item = b'{"type":"span"}\n{}\n'
    assert len(read_envelope(HEADER + item * MAX_ITEMS).items) == MAX_ITEMS
    with pytest.raises(LimitExceeded):
        read_envelope(HEADER + item * (MAX_ITEMS + 1))


blobs = st.binary(max_size=80) | st.sampled_from(
    [b"{}", b"\n", b'{"type":"event"}', b'{"type":"event","length":4}', b"{bad", PAYLOAD]
)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(blobs, max_size=12))
def test_no_bytes_break_it(parts: list[bytes]) -> None:
    body = HEADER + b"\n".join(parts)
    items = read_envelope(body).items
    assert sum(len(item.payload) for item in items) <= len(body)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=60), max_size=6), st.integers(0, 6))
def test_items_with_a_length_never_hide_the_event(others: list[bytes], at: int) -> None:
    items = [with_length(other, type="attachment") for other in others]
    items.insert(min(at, len(items)), with_length(PAYLOAD))
    assert events(HEADER + b"\n".join(items)) == [EVENT]
