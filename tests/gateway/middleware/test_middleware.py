"""The middleware: request ids, log lines, body limits, masked failures."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from gateway.app import create_app
from gateway.http.edge_route import Access, EdgeRoute
from gateway.middleware import request_log
from gateway.middleware.failures import from_crash
from tests.gateway.graphql.edge import authorized, client_of, small_gateway, token
from tests.gateway.request_lines import request_lines


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def crash(_request: Request) -> Response:
    raise RuntimeError("password=hunter2")


def app() -> Starlette:
    """The small gateway with two routes of its own."""
    return create_app(
        small_gateway(),
        [
            EdgeRoute(
                path="/things/{name}",
                handler=lambda _gateway: echo,
                needs=Access.EACH_FIELD,
                methods=("POST",),
                body_bytes=1000,
            ),
            EdgeRoute(path="/crash", handler=lambda _gateway: crash, needs=Access.PUBLIC),
        ],
    )


async def test_sane_request_id_is_kept() -> None:
    async with client_of(app()) as client:
        response = await client.post("/things/a", headers={"x-request-id": "abc-1.2:3_4"})
    assert response.headers["x-request-id"] == "abc-1.2:3_4"


@pytest.mark.parametrize("given", [b"", b"a b", b"x" * 101, b"<script>", b'a"b', "ä".encode()])
async def test_odd_request_id_is_replaced(given: bytes) -> None:
    async with client_of(app()) as client:
        response = await client.post("/things/a", headers=[(b"x-request-id", given)])
    assert len(response.headers["x-request-id"]) == 32


async def test_log_line_has_the_template_and_neither_token_nor_body() -> None:
    secret = token()
    with request_lines() as lines:
        async with client_of(app()) as client:
            headers = {"authorization": f"Bearer {secret}"}
            await client.post("/things/private-name?q=hidden", content="a body", headers=headers)
    (line,) = lines
    assert (line["event"], line["level"], line["component"]) == ("request", "info", "access")
    assert (line["method"], line["path"], line["status"]) == ("POST", "/things/{name}", 200)
    assert line["duration_ms"] >= 0
    assert line["subject"] == "ada"
    text = str(lines)
    assert not any(part in text for part in (secret, "private-name", "hidden", "a body"))


async def test_crash_is_masked_and_logged() -> None:
    with capture_logs() as lines:
        async with client_of(app()) as client:
            response = await client.get("/crash")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "INTERNAL"
    assert "hunter2" not in response.text
    assert any(line["event"] == "request_crashed" for line in lines)


async def test_crash_before_the_mask_is_masked_too() -> None:
    app = Starlette(routes=[Route("/crash", crash)], exception_handlers={Exception: from_crash})
    async with client_of(app) as client:
        response = await client.get("/crash")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "INTERNAL")
    assert "hunter2" not in response.text


async def test_crash_of_the_middleware_has_the_form_of_the_route(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(request_log, "record_response", fail)
    async with client_of(create_app(small_gateway())) as client:
        response = await client.post("/graphql", json={"query": "{hello}"})
        other = await client.get("/live")
    assert (response.status_code, other.status_code) == (500, 500)
    assert response.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert other.json()["error"]["code"] == "INTERNAL"


@pytest.mark.parametrize(("size", "status"), [(1000, 200), (1001, 413)])
async def test_announced_body_is_limited(size: int, status: int) -> None:
    async with client_of(app()) as client:
        response = await client.post("/things/a", content=b"x" * size)
    assert response.status_code == status


async def test_unannounced_body_is_limited_while_it_arrives() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000_000:
            sent += 100
            yield b"x" * 100

    async with client_of(app()) as client:
        response = await client.post("/things/a", content=endless())
    assert response.status_code == 413
    assert response.json()["error"]["limit"] == "body_bytes"
    assert sent < 10_000


async def test_two_authorization_headers_are_refused() -> None:
    headers = [("authorization", f"Bearer {token()}"), ("authorization", "Bearer x")]
    async with client_of(app()) as client:
        response = await client.post("/things/a", headers=headers)
    assert response.status_code == 401


async def test_scheme_is_case_insensitive() -> None:
    headers = httpx.Headers({"authorization": authorized()["authorization"].replace("B", "b", 1)})
    async with client_of(app()) as client:
        response = await client.post("/things/a", headers=headers)
    assert response.status_code == 200
