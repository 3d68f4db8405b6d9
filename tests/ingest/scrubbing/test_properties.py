"""Planted secrets never survive, look-alikes always do, and what is clean stays as it is."""

import base64
import json
import string
from typing import Any
from urllib.parse import quote, quote_plus

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.scrubbing import Rules, scrub
from tests.ingest.scrubbing.bodies import bodies, planted

_CANARY = st.builds(
    lambda head, middle, tail: f"{head}{middle}{tail}",
    st.sampled_from(["Xq7", "k9Z", "0aW"]),
    st.text(string.ascii_letters + string.digits + "-_/+=!$:. \"'\\é", min_size=6, max_size=40),
    st.sampled_from(["Zx8v", "w3Qp", "m5Tt"]),
)
_SECRET_NAMES = st.sampled_from(
    ["password", "Authorization", "api_key", "clientSecret", "X-Auth-Token", "sessionid", "Cookie"]
)
_ENCODINGS = st.sampled_from(
    [
        str,
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: json.dumps(text)[1:-1],
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
        lambda text: f"before {text} after",
    ]
)
_LOOK_ALIKES = st.sampled_from(
    [
        *("4.11.1111.1111", "d670460b4b4aece5915caf5c68d12f560a9fe3e4", "4111111111111112"),
        *("550e8400-e29b-41d4-a716-446655440000", "author=Ada", "tokenizer: fast", "keyboard=us"),
        *("git@github.com:a/b.git", "@sentry/node@9.1.0", "DE89370400440532013001", "monkey"),
        *("2024-01-15T10:11:12.123456Z", "1700000000000", "sha256:" + "ab01" * 16, "10.0.0.1:80"),
    ]
)


@given(bodies(), _CANARY, _SECRET_NAMES, st.lists(_ENCODINGS, min_size=1, max_size=4), st.data())
@settings(max_examples=100, deadline=None)
def test_a_planted_secret_is_nowhere(
    body: dict[str, Any], canary: str, name: str, written: list[Any], data: st.DataObject
) -> None:
    body = planted(body, name, canary, data)
    for encoding in written:
        body = planted(body, None, encoding(canary), data)
    text = json.dumps(scrub(body), ensure_ascii=False)
    forms = {encoding(canary) for encoding in written} | {
        canary,
        quote(canary, safe=""),
        json.dumps(canary, ensure_ascii=False)[1:-1],
        base64.b64encode(canary.encode()).decode().rstrip("="),
    }
    assert not [form for form in forms if form in text]


@given(bodies(), st.lists(_LOOK_ALIKES, min_size=1, max_size=5), st.data())
@settings(max_examples=100, deadline=None)
def test_look_alikes_stay(body: dict[str, Any], texts: list[str], data: st.DataObject) -> None:
    for text in texts:
        body = planted(body, None, text, data)
    found = orjson.dumps(scrub(body)).decode()
    assert all(text in found for text in texts)


@given(bodies(), _CANARY, _SECRET_NAMES, st.data())
@settings(max_examples=100, deadline=None)
def test_what_was_scrubbed_stays_as_it_is(
    body: dict[str, Any], canary: str, name: str, data: st.DataObject
) -> None:
    rules = Rules(names=("ref",), patterns=("acct-*",))
    once = scrub(planted(body, name, canary, data), rules)
    assert scrub(once, rules) == once


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["user", "extra", "message", "request", "tags"]) | st.text(), _ANY
    )
)
@settings(max_examples=40, deadline=None)
def test_any_body_becomes_storable_json(body: dict[str, Any]) -> None:
    scrubbed = scrub(body)
    text = orjson.dumps(scrubbed).decode()
    assert "\\u0000" not in text
    assert scrub(scrubbed) == scrubbed
