"""Bodies are cut to size, and no body takes long."""

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import pytest

from ingest.scrubbing import Rules, scrub
from ingest.scrubbing.texts import MAX_TEXT_LENGTH, MAX_TOTAL_LENGTH
from ingest.scrubbing.walk import MAX_DEPTH, MAX_ITEMS, MAX_KEYS
from tests.effort import assert_within_times

# Times what as many plain texts take.
_MOST_TIMES = 250


def test_cut_parts_say_what_is_missing() -> None:
    body = {
        "message": "m" * 10_000_000,
        "extra": {f"k{place}": place for place in range(100_000)},
        "breadcrumbs": {"values": [{"data": place} for place in range(1_000)]},
        "tags": {"list": list(range(1_000))},
    }
    scrubbed = scrub(body)
    assert scrubbed["message"] == "m" * MAX_TEXT_LENGTH + "[cut: 9990000 more characters]"
    assert len(scrubbed["extra"]) == MAX_KEYS + 1
    assert scrubbed["extra"]["[cut]"] == "[cut: 99500 more fields]"
    crumbs = scrubbed["breadcrumbs"]["values"]
    assert len(crumbs) == MAX_ITEMS + 1
    assert crumbs[MAX_ITEMS // 2] == {"[cut]": "[cut: 750 more items]"}
    assert crumbs[-1] == {"data": 999}
    assert scrubbed["tags"]["list"][MAX_ITEMS // 2] == "[cut: 750 more items]"
    assert scrub(scrubbed) == scrubbed


def test_deep_bodies_end_at_the_limit() -> None:
    body: dict[str, Any] = {}
    inner = body
    for _ in range(10_000):
        inner["a"] = {"b": [{}]}
        inner = inner["a"]["b"][0]
    scrubbed = scrub(body)
    assert orjson.dumps(scrubbed).count(b"{") + orjson.dumps(scrubbed).count(b"[") < MAX_DEPTH + 3
    assert b"[cut: nested too deeply]" in orjson.dumps(scrubbed)
    assert scrub(scrubbed) == scrubbed


def test_of_a_body_that_is_too_large_the_error_itself_is_kept() -> None:
    error = {"values": [{"type": "ValueError", "value": "no such cart"}]}
    body = {"extra": {f"k{place}": "x" * 9_000 for place in range(100)}, "exception": error}
    scrubbed = scrub(body)
    assert scrubbed["exception"] == error
    assert len(orjson.dumps(scrubbed)) < MAX_TOTAL_LENGTH * 1.2
    assert "[cut: the event is too large]" in scrubbed["extra"].values()


def test_a_secret_across_the_cut_is_removed() -> None:
    secret = "Zx9kQ4mV7wTr2p5s"
    text = "m" * (MAX_TEXT_LENGTH - 8) + secret + "m" * 100_000
    scrubbed = scrub({"message": text, "extra": {"token": secret}})
    assert secret[:6] not in orjson.dumps(scrubbed).decode()


def test_secrets_in_cut_fields_are_removed_elsewhere() -> None:
    fields = {f"k{place}": place for place in range(1_000)} | {"password": "Zx9kQ4mV7wTr2p5s"}
    assert b"Zx9kQ" not in orjson.dumps(scrub({"extra": fields, "message": "Zx9kQ4mV7wTr2p5s"}))


def test_more_secrets_than_are_looked_for_are_still_removed_as_whole_texts() -> None:
    secrets = [f"Zx9kQ4mV{place}wTr2p" for place in range(450)]
    body = {
        "extra": {"a": {f"password_{place}_x": one for place, one in enumerate(secrets)}},
        "contexts": {"b": {str(place): one for place, one in enumerate(secrets)}},
    }
    text = orjson.dumps(scrub(body)).decode()
    assert not [secret for secret in secrets if secret in text]


def _texts(piece: str) -> Callable[[], dict[str, Any]]:
    text = piece * (9_000 // len(piece))
    return lambda: {"extra": [f"{text}{place}" for place in range(MAX_ITEMS)]}


_SPECIAL: dict[str, Callable[[], dict[str, Any]]] = {
    "keys": lambda: {"extra": {f"k{place}": place for place in range(100_000)}},
    "secrets": lambda: {"extra": {f"secret{i}x": f"Sec{i}ret" for i in range(100_000)}},
    "a long text": lambda: {"message": "a" * 10_000_000},
    "long names": lambda: {"extra": {"k" * 100_000 + str(place): 1 for place in range(500)}},
    "lists": lambda: {"extra": [[[1, 2, 3]] * 250 for _ in range(250)]},
    "JSON in texts": lambda: {"extra": ["[" * 4_000 + "]" * 4_000 for _ in range(250)]},
    "cookies": lambda: {
        "request": {"headers": {"Cookie": "; ".join(f"a{i}=Val{i}ue" for i in range(5_000))}},
        "extra": [f"Val{place}ue " * 900 for place in range(250)],
    },
}
HOSTILE = _SPECIAL | {
    piece: _texts(piece)
    for piece in (
        *("@", "a@a.", "a@a-a.", "1", "4111111111111111 ", "4111 1111 1111 1112 ", " DE89"),
        *("password", "password=", "password = ", 'password="', "password=['", "password=\\"),
        *('password=\\"a\\\\', "key ", "key.", "pin=", "://", "://a:b", "eyJ", "ghp_", "bearer "),
        *("eyJaaaaaaaaaaaaaaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "<password>", "İtoken=x "),
        *('name="password"\n', "authorization: a=b", "cookie: ", "aaab", "ddd", "%40", "&quot;"),
    )
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_body_takes_long_beside_a_plain_one(name: str) -> None:
    body, plain = HOSTILE[name](), _texts("a plain sentence, ")()
    rules = Rules(names=("abc def",), patterns=("aaa*b*c*d", "abc*", "*ddd", "######"))
    assert_within_times(
        _MOST_TIMES, lambda: partial(scrub, body, rules), partial(scrub, plain, rules)
    )
