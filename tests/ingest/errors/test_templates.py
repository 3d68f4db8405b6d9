"""What a message's template keeps, and what it takes out."""

from functools import partial
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors.templates import has_words, template_of
from tests.effort import assert_within_times

MOST_TIMES = 20

SAME = [
    ("order 17 not found", "order 98234 not found"),
    ("took 25473.50 ms", "took 3s"),
    ("1,234,567 rows", "12 rows"),
    ("moved -3.5e10 units", "moved 7 units"),
    (
        "user 550e8400-e29b-41d4-a716-446655440000 gone",
        "user 6ba7b810-9dad-11d1-80b4-00c04fd430c8 gone",
    ),
    ("A Generic Error 9371d7", "A Generic Error a81f03"),
    ("task ACAekLExQ9ilBJ5DxWMSHA failed", "task Bx2fKq81Ls0PzR4tYw6VnM failed"),
    ("free(): 0x7f5f778257ff", "free(): 0x512000dacef0"),
    ("leak of app.Cache@1b6d3586", "leak of app.Cache@4554617c"),
    ("cannot open /var/lib/app/17.json", "cannot open /srv/bob/x/y.json"),
    (r"cannot open C:\data\17.json", r"cannot open D:\x\y\z.json"),
    ("GET https://a.example/x?y=1 failed", "GET http://b.example:8080/z failed"),
    ("mail to bob@example.com bounced", "mail to alice.b+c@mail.example.org bounced"),
    ("connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED 10.20.30.40:6379"),
    ("connect ECONNREFUSED ::1:5432", "connect ECONNREFUSED 2001:db8::8a2e:370:7334"),
    ("no lease for 00:1a:2b:3c:4d:5e", "no lease for aa:bb:cc:dd:ee:ff"),
    ("since 2026-11-30T12:18:29.123Z", "since 2025-01-02 03:04:05"),
    ("expired Mon Nov 30 12:18:29 UTC 2026", "expired Tue Jan 06 01:02:03 UTC 2026"),
    ("no key 'alpha'", "no key 'beta gamma'"),
    ('column "a" is missing', 'column "b_c" is missing'),
    ("undefined method `x' for nil", "undefined method `yy' for nil"),
    ("got {'a': 1, 'b': 2}", "got {'c': 7}"),
    ("no broker for [test,5]", "no broker for [__consumer_offsets,46]"),
    ("ids [1, 2, 3]", "ids [4, 5]"),
    ("ids 1, 2, 3 lost", "ids 4, 5 lost"),
    ("out of memory\nat 12:01", "out of memory\nelsewhere"),
    ("\x1b[31mfatal\x1b[0m: no remote", "fatal: no remote"),
    ("db-1.internal is down", "db-17.internal is down"),
]
DIFFERENT = [
    ("order 17 not found", "order 17 not paid"),
    ("Request failed with status code 404", "Request failed with status code 500"),
    ("503 Server Error: Service Unavailable", "500 Server Error: Internal Server Error"),
    ("exit status 1", "exit status 137"),
    ("[Errno 2] failed", "[Errno 13] failed"),
    ("can't open it", "can't close it"),
    ("dom/a/test_x.html timed out", "dom/a/test_y.html timed out"),
    ("[taskcluster:error] stopped", "[generic-worker:error] stopped"),
    ("Error:\nno space left", "Error:\nno such host"),
]
HOSTILE = ["'", '"a', "[", "[a,", "{:", "a@", "/a", "0", "::", "1.", "x://", "0a-", "Jan ", "1,"]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_varies_is_taken_out(one: str, other: str) -> None:
    assert template_of(one) == template_of(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_tells_failures_apart_stays(one: str, other: str) -> None:
    assert template_of(one) != template_of(other)


def test_template_can_be_read() -> None:
    message = 'Error downloading "image" to /tmp/x: got 17 bytes of 2 MB after 3.5 s from 10.0.0.1'
    expected = (
        "Error downloading <quoted> to <path>: got <size> of <size> after <duration> from <ip>"
    )
    assert template_of(message) == expected


@settings(deadline=None)
@given(st.lists(st.sampled_from("ab1 '\"/[]{}.,:@-_x%\n\x00\ud800é"), max_size=200).map("".join))
def test_any_text_has_a_bounded_template(text: str) -> None:
    assert len(template_of(text)) <= 300


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_takes_little_time_beside_a_plain_one(unit: str) -> None:
    """No more of it is read than of a plain text of two thousand characters."""

    def read(unit: str, characters: int) -> None:
        template_of(unit * (characters // len(unit)) + uuid4().hex)  # no text is remembered

    plain = partial(read, "a plain text ", 2_000)
    assert_within_times(MOST_TIMES, lambda: partial(read, unit, 100_000), plain)


def test_template_of_places_alone_has_no_words() -> None:
    assert not any(map(has_words, ("%s: %s", "{} {name}", "%(a)s", "", "12")))
    assert all(map(has_words, ("no %s", "%s failed")))
