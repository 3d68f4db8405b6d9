"""`gateway verdict` asks over HTTP, waits until the verdict is due, and exits for CI."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from graphql import parse, validate
from typer.testing import CliRunner, Result

from gateway.cli import verdict
from gateway.cli.main import app
from schema import schema
from schema.internals import core

ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


@dataclass
class Stub:
    """A server that gives prepared answers in turn, and repeats the last one."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    requests: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    url: str = ""

    def answer(self) -> tuple[int, Any]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    monkeypatch.setattr(verdict, "PAUSE", timedelta())
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            stub.requests.append((dict(self.headers), json.loads(self.rfile.read(size))))
            status, body = stub.answer()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield stub
    server.shutdown()
    thread.join()
    server.server_close()


def told(outcome: str, *comparisons: tuple[str, str]) -> tuple[int, Any]:
    evidence = [{"outcome": each, "message": message} for each, message in comparisons]
    found = {"outcome": outcome, "message": "In words.", "range": None, "comparisons": evidence}
    return 200, {"data": {"deploymentVerdict": found}}


def run(stub: Stub, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["verdict", ID, "--url", stub.url, "--token", "t", *arguments])


@pytest.mark.parametrize(
    ("outcome", "code"), [("PASS", 0), ("FAIL", 1), ("INCONCLUSIVE", 2), ("PENDING", 2)]
)
def test_exit_code_is_the_outcome(stub: Stub, outcome: str, code: int) -> None:
    stub.answers = [told(outcome)]
    done = run(stub)
    assert (done.exit_code, done.stdout) == (code, f"{outcome}: In words.\n")


def test_question_has_token_and_window(stub: Stub) -> None:
    stub.answers = [told("PASS")]
    run(stub, "--window", "PT1H")
    ((headers, body),) = stub.requests
    assert headers["Authorization"] == "Bearer t"
    assert body["variables"] == {"id": ID, "window": "PT1H"}


def test_question_is_valid() -> None:
    assert validate(core(schema), parse(verdict.DOCUMENT)) == []


def test_waits_until_the_verdict_is_due(stub: Stub) -> None:
    stub.answers = [told("PENDING"), (503, b"starting"), told("PENDING"), told("PASS")]
    assert run(stub, "--wait").exit_code == 0
    assert len(stub.requests) == 4


def test_evidence_is_printed(stub: Stub) -> None:
    stub.answers = [told("FAIL", ("FAIL", "42 errors, 3 expected."), ("PASS", "All calls."))]
    assert run(stub).stdout.splitlines() == [
        "FAIL",
        "  fail          42 errors, 3 expected.",
        "  pass          All calls.",
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, {"data": {"deploymentVerdict": None}}), "no such deployment"),
        ((401, {"errors": [{"message": "The token has expired."}]}), "The token has expired."),
        ((200, b"<html>"), "not as a gateway does"),
        ((503, b""), "answered with status 503"),
    ],
)
def test_without_an_answer_it_says_why(stub: Stub, answer: tuple[int, Any], words: str) -> None:
    stub.answers = [answer]
    done = run(stub)
    assert done.exit_code == 2
    assert words in done.stderr
