"""What is made of log lines before they are stored."""

from time import process_time

from ingest.logs.preparation import MAX_SEARCHED, searchable


def seconds_for(length: int) -> float:
    text = "x" * length
    start = process_time()
    assert searchable([text]) == text
    return process_time() - start


def test_a_long_word_takes_no_time() -> None:
    assert seconds_for(MAX_SEARCHED) < 0.25


def test_the_parts_of_joined_words_are_searchable() -> None:
    assert searchable(["GET /carts/17 a.b", None, "c"]) == "GET /carts/17 a.b\nc\ncarts 17\na b"
