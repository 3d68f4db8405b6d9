"""What is made of log lines before they are stored."""

from ingest.logs.preparation import MAX_SEARCHED, searchable
from tests.effort import assert_within_times


def test_a_long_word_takes_little_time_beside_short_ones() -> None:
    long, short = "x" * MAX_SEARCHED, "xx " * (MAX_SEARCHED // 3)
    assert searchable([long]) == long
    assert_within_times(20, lambda: lambda: searchable([long]), lambda: searchable([short]))


def test_the_parts_of_joined_words_are_searchable() -> None:
    assert searchable(["GET /carts/17 a.b", None, "c"]) == "GET /carts/17 a.b\nc\ncarts 17\na b"
