"""Accept and Content-Type headers are read as the standards say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.negotiation import GRAPHQL, HTML, JSON, WITH_PAGE, is_json, preferred


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON};q=0.9", JSON),
        (f"{GRAPHQL};charset=utf-8, {JSON};charset=utf-8", GRAPHQL),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{JSON};q=0, {GRAPHQL};q=0", None),
        ("text/html", None),
        ("image/*", None),
        ("nonsense", None),
        (f"{JSON};q=high", None),
        ("APPLICATION/JSON", JSON),
    ],
)
def test_best_media_type_is_chosen(accept: str | None, expected: str | None) -> None:
    assert preferred(accept) == expected


def test_browser_gets_the_page_and_a_script_does_not() -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert preferred(browser, WITH_PAGE) == HTML
    assert preferred("*/*", WITH_PAGE) == JSON
    assert preferred(f"{JSON}, text/html;q=0.5", WITH_PAGE) == JSON


@given(st.text())
def test_any_accept_header_has_an_answer(accept: str) -> None:
    assert preferred(accept) in (JSON, GRAPHQL, None)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ('Application/JSON; charset="UTF-8"', True),
        ("application/json; charset=utf-16", False),
        ("application/graphql", False),
        ("text/plain", False),
        ("", False),
        (None, False),
    ],
)
def test_only_json_in_utf8_is_read(content_type: str | None, expected: bool) -> None:
    assert is_json(content_type) is expected
