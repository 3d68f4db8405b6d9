"""JSON and NDJSON bodies, and what a hostile one may not do."""

import gzip
import zlib
from collections.abc import Mapping

import pytest

from ingest.events import MAX_BATCH_EVENTS, MAX_BODY_BYTES, Code, Rejection
from ingest.formats import reading
from ingest.formats.raw import Raw, Unchecked
from ingest.formats.reading import UnsupportedContentType, unpacked
from storage.errors import GatewayError, InvalidInput, LimitExceeded, TooLarge
from tests.effort import Work, assert_within_times

JSON = {"content-type": "application/json; charset=utf-8"}
LINES = {"Content-Type": "application/x-ndjson"}


def read_request(headers: Mapping[str, str], body: bytes) -> list[Unchecked]:
    return reading.read_request(headers, unpacked(headers, body))


def values(raws: list[Unchecked]) -> list[object]:
    return [raw.code if isinstance(raw, Rejection) else raw.value for raw in raws]


def test_an_object_an_array_and_lines_are_events() -> None:
    assert values(read_request(JSON, b'{"a": 1}')) == [{"a": 1}]
    assert values(read_request(JSON, b'[{"a": 1}, 5, null]')) == [{"a": 1}, 5, None]
    assert values(read_request(LINES, b'{"a": 1}\r\n\n {"b": 2}')) == [{"a": 1}, {"b": 2}]
    assert values(read_request(JSON, b"[]")) == []
    assert values(read_request({}, b'\xef\xbb\xbf{"a": 1}')) == [{"a": 1}]


@pytest.mark.parametrize(
    "kind", ["application/jsonl", "application/ndjson", "application/x-jsonlines"]
)
def test_lines_have_several_names(kind: str) -> None:
    assert values(read_request({"content-type": kind}, b"{}\n{}")) == [{}, {}]


def test_an_unreadable_line_is_refused_alone() -> None:
    assert values(read_request(LINES, b'{"a": 1}\n{oops\n{"b": 2}')) == [
        {"a": 1},
        Code.UNREADABLE,
        {"b": 2},
    ]


def test_an_event_with_half_a_character_does_not_spoil_the_array() -> None:
    raws = read_request(JSON, b'[{"a": "\\ud800"}, {"b": NaN}, {"c": 3}]')
    assert [list(raw.value) for raw in raws if isinstance(raw, Raw)] == [["a"], ["b"], ["c"]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"5",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"a": "\xed\xa0\x80"}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"[" + b"9" * 5_000,
    ],
)
def test_unreadable_bodies_are_bad_requests(body: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_request(JSON, body)
    assert caught.value.http_status == 400


def test_too_many_events_name_the_limit() -> None:
    body = b"[" + b",".join([b"{}"] * (MAX_BATCH_EVENTS + 1)) + b"]"
    with pytest.raises(LimitExceeded) as caught:
        read_request(JSON, body)
    assert (caught.value.limit, caught.value.http_status) == ("batch_events", 422)
    body = b"[" + b",".join([b"{}"] * MAX_BATCH_EVENTS) + b"]"
    assert len(values(read_request(JSON, body))) == 10_000


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "identity, GZIP"])
def test_compressed_bodies_are_read(encoding: str) -> None:
    pack = zlib.compress if encoding == "deflate" else gzip.compress
    headers = JSON | {"content-encoding": encoding}
    assert values(read_request(headers, pack(b'{"a": 1}'))) == [{"a": 1}]


def test_gzip_may_have_several_members() -> None:
    body = gzip.compress(b'[{"a": 1},') + gzip.compress(b'{"b": 2}]')
    assert unpacked(JSON | {"content-encoding": "gzip"}, body) == b'[{"a": 1},{"b": 2}]'


def test_many_empty_members_take_no_long_time() -> None:
    """For eight times as many not nearly 64 times as long."""

    def read(members: int) -> Work:
        body = gzip.compress(b"{}") + gzip.compress(b"") * members
        return lambda: values(read_request(JSON | {"content-encoding": "gzip"}, body))

    assert read(3)() == [{}]
    assert_within_times(24, lambda: read(400_000), read(50_000))


def test_a_bomb_is_refused_at_the_limit() -> None:
    bomb = gzip.compress(b" " * (MAX_BODY_BYTES + 1))
    assert len(bomb) < 20_000
    with pytest.raises(TooLarge) as caught:
        read_request(JSON | {"content-encoding": "gzip"}, bomb)
    assert (caught.value.limit, caught.value.http_status) == ("body_bytes", 413)
    twice = gzip.compress(gzip.compress(b" " * 40_000_000))
    with pytest.raises(TooLarge):
        read_request(JSON | {"content-encoding": "gzip, gzip"}, twice)
    with pytest.raises(TooLarge):
        read_request(JSON, b" " * (MAX_BODY_BYTES + 1))


@pytest.mark.parametrize(
    "body", [b"plain", gzip.compress(b"{}")[:-6], gzip.compress(b"{}") + b"junk"]
)
def test_damaged_compression_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_request(JSON | {"content-encoding": "gzip"}, body)


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"content-type": "application/xml"}, UnsupportedContentType),
        ({"content-type": "application/x-www-form-urlencoded"}, UnsupportedContentType),
        ({"content-type": "application/json; charset=utf-16"}, UnsupportedContentType),
        ({"content-encoding": "br"}, InvalidInput),
    ],
)
def test_other_types_and_encodings_are_refused(
    headers: Mapping[str, str], error: type[GatewayError]
) -> None:
    with pytest.raises(error):
        read_request(headers, b"{}")
