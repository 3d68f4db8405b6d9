"""`gateway logs` asks over HTTP, and prints lines as loggers write them."""

import json
from typing import Any

import pytest
from graphql import parse, validate
from typer.testing import CliRunner, Result

from gateway.cli import logs
from gateway.cli.asking import NoAnswerError, RefusedError
from gateway.cli.main import app
from schema import schema
from schema.internals import core
from storage.facts.log_lines import Level

Asked = list[dict[str, Any]]


def line(number: int, **more: Any) -> dict[str, Any]:
    base = {
        "id": f"id-{number}",
        "occurredAt": f"2026-11-20T09:32:{number:02}Z",
        "level": "WARN",
        "logger": "shop.payments",
        "message": f"slow {number}",
        "fields": None,
        "project": {"slug": "shop"},
    }
    return base | more


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What was asked of a gateway that has 250 lines, the last one the newest."""
    found: Asked = []
    stored = [line(number % 60, id=str(number)) for number in range(250)][::-1]

    def ask(_url: str, _token: str, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        found.append(variables)
        start = int(variables["after"] or 0)
        end = start + variables["first"]
        page = {"hasNextPage": end < len(stored), "endCursor": str(end)}
        return {"logLines": {"nodes": stored[start:end], "pageInfo": page}}

    monkeypatch.setattr(logs, "ask", ask)
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["logs", *arguments])


def test_document_is_valid() -> None:
    assert validate(core(schema), parse(logs.DOCUMENT)) == []
    assert [each.upper() for each in logs.LEVELS] == [each.name for each in Level]


def test_options_are_the_filter(asked: Asked) -> None:
    options = ["--project", "shop", "--project", "blog", "--logger", "shop.payments"]
    options += ["--level", "error", "--since", "P1D", "--trace", "ab", "--limit", "5"]
    assert run("payment", "timeout", *options).exit_code == 0
    assert asked == [
        {
            "filter": {"projects": ["shop", "blog"], "loggers": ["shop.payments"]},
            "levels": ["ERROR", "FATAL"],
            "search": "payment timeout",
            "deployment": None,
            "traceId": "ab",
            "range": {"last": "P1D"},
            "first": 5,
            "after": None,
        }
    ]


def test_pages_are_printed_oldest_first(asked: Asked) -> None:
    done = run("--json", "--limit", "220")
    ids = [int(json.loads(each)["id"]) for each in done.stdout.splitlines()]
    assert ids == list(range(30, 250))
    assert [each["first"] for each in asked] == [100, 100, 20]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "2026-11-20T09:32:01Z WARN  shop shop.payments slow 1"),
        ({"fields": {"n": 1, "who": "é"}, "logger": None}, 'WARN  shop slow 1 n=1 who="é"'),
        ({"message": "a\nb"}, "shop.payments a\n  b"),
        ({"message": None}, "shop.payments (text not kept)"),
    ],
)
def test_a_line_is_printed_as_loggers_write_it(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], text: str
) -> None:
    page = {"hasNextPage": False, "endCursor": None}
    answer = {"logLines": {"nodes": [line(1, **more)], "pageInfo": page}}
    monkeypatch.setattr(logs, "ask", lambda *_: answer)
    assert run().stdout.endswith(f"{text}\n")


def test_new_lines_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    page = {"hasNextPage": False, "endCursor": None}
    told = [[1], [1], [1], [2, 1], [3, 2]]

    def ask(*_: Any) -> dict[str, Any]:
        if not told:
            raise NoAnswerError("It is gone.")
        nodes = [line(number) for number in told.pop(0)]
        return {"logLines": {"nodes": nodes, "pageInfo": page}}

    monkeypatch.setattr(logs, "ask", ask)
    monkeypatch.setattr(logs, "sleep", lambda _: None)
    done = run("--follow", "--json")
    assert [json.loads(each)["id"] for each in done.stdout.splitlines()] == ["id-1", "id-2", "id-3"]
    assert (done.exit_code, done.stderr) == (1, "It is gone.\n")


@pytest.mark.parametrize("burst", [1, 999, 1_000, 1_001, 2_500])
def test_followed_lines_are_printed_once_each(monkeypatch: pytest.MonkeyPatch, burst: int) -> None:
    """One comes with each request, also with the first ones, and now and then come many."""
    stored, bursts = 40, [3, burst, 7, burst, 2]

    def ask(_url: str, _token: str, _document: str, variables: dict[str, Any]) -> dict[str, Any]:
        nonlocal stored
        newest = int(variables["after"] or stored)
        oldest = max(newest - variables["first"], 0)
        nodes = [line(number % 60, id=str(number)) for number in range(oldest, newest)][::-1]
        stored += 1
        page = {"hasNextPage": oldest > 0, "endCursor": str(oldest)}
        return {"logLines": {"nodes": nodes, "pageInfo": page}}

    def sleep(_seconds: float) -> None:
        nonlocal stored
        if not bursts:
            raise NoAnswerError("It is gone.")
        stored += bursts.pop(0)

    monkeypatch.setattr(logs, "ask", ask)
    monkeypatch.setattr(logs, "sleep", sleep)
    done = run("--follow", "--json", "--limit", "10")
    ids = [int(json.loads(each)["id"]) for each in done.stdout.splitlines()]
    assert ids == list(range(31, 31 + len(ids))), "the newest ten, and all since"
    assert len(ids) > 10 + 3 + burst + 7 + burst + 2


def test_what_cannot_be_answered_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no level 'loud'" in run("--level", "loud").stderr

    def ask(*_: Any) -> dict[str, Any]:
        raise RefusedError("Sign in first.")

    monkeypatch.setattr(logs, "ask", ask)
    done = run()
    assert (done.exit_code, done.stderr) == (1, "Sign in first.\n")
