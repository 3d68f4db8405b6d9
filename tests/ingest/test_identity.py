"""Ids: UUIDv7 made from a time, and the time read from it."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from ingest.identity import uuid7, uuid7_time

NOW = datetime(2026, 11, 21, 3, 30, 0, 123_456, tzinfo=UTC)


@given(st.integers(0, 8_000 * 365 * 86_400 * 1_000_000))
def test_uuid7_has_its_version_and_its_time_to_the_millisecond(microseconds: int) -> None:
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    made = uuid7(now)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert uuid7_time(made) == now - timedelta(microseconds=now.microsecond % 1000)


def test_uuid7_of_one_moment_differ() -> None:
    assert len({uuid7(NOW) for _ in range(10_000)}) == 10_000


def test_every_random_bit_of_a_uuid7_varies() -> None:
    made = [uuid7(NOW).int for _ in range(200)]
    always = never = made[0]
    for value in made:
        always, never = always & value, never | value
    assert (always ^ never).bit_count() == 74


def test_later_uuid7_sort_later() -> None:
    moments = [NOW + timedelta(milliseconds=number) for number in range(100)]
    made = [uuid7(moment) for moment in moments]
    assert made == sorted(made)
