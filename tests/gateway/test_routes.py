"""One line declares a route, and every layer goes by it."""

from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from access.limits import Budget
from access.viewers import Permission, Role
from gateway.cli.permissions_page import page
from gateway.http.edge_route import Access, EdgeRoute
from gateway.observability.health import Health
from gateway.routes import ROUTES
from gateway.services import Gateway, open_gateway
from schema import schema
from tests.gateway.application import AppClient, settings_for, somebody
from tests.gateway.request_lines import request_lines

PAGES = "https://pages.example.com"


async def echo(request: Request) -> Response:
    body = await request.body()
    return PlainTextResponse(f"{request.path_params['slug']}: {len(body)}")


async def crash(_request: Request) -> Response:
    raise RuntimeError("password=hunter2")


async def peek(_request: Request) -> Response:
    return PlainTextResponse("peek")


ECHO: EdgeRoute[Gateway] = EdgeRoute(
    path="/v1/projects/{slug}/echo",
    handler=lambda _gateway: echo,
    needs=Permission.MANAGE,
    methods=("POST",),
    body_bytes=100,
    is_cross_origin=True,
    is_audited=True,
)
PLAIN: EdgeRoute[Gateway] = EdgeRoute(
    path="/v1/things/{thing}", handler=lambda _gateway: peek, needs=Access.EACH_FIELD
)
QUIET: EdgeRoute[Gateway] = EdgeRoute(
    path="/v1/probes/{probe}",
    handler=lambda _gateway: peek,
    needs=Access.PUBLIC,
    has_any_host=True,
    logs_successes=False,
)
CRASH: EdgeRoute[Gateway] = EdgeRoute(
    path="/v1/crashes/{id}", handler=lambda _gateway: crash, needs=Permission.READ
)
ALL = (*ROUTES, ECHO, PLAIN, QUIET, CRASH)
PATH = "/v1/projects/shop/echo"


@pytest.fixture
def maintainer() -> dict[str, str]:
    return somebody(Role.MAINTAINER, projects=("shop",))


@pytest.fixture
async def client(own_database_url: str, redis_url: str) -> AsyncIterator[AppClient]:
    settings = settings_for(
        own_database_url,
        redis_url,
        allowed_hosts="gateway",
        cors_origins=PAGES,
        rate_limit_enabled=True,
        rate_limit_max=5,
        rate_limit_burst=0,
    )
    async with (
        open_gateway(settings, Health("tests"), schema) as gateway,
        AppClient(gateway, {}, ALL) as client,
    ):
        yield client


async def test_path_parameters_reach_the_handler(
    client: AppClient, maintainer: dict[str, str]
) -> None:
    answer = await client.post(PATH, content=b"abc", headers=maintainer)
    assert (answer.status_code, answer.text) == (200, "shop: 3")


async def test_permission_is_asked_for(client: AppClient) -> None:
    assert (await client.post(PATH)).status_code == 401
    answer = await client.post(PATH, headers=somebody(Role.VIEWER, projects=("shop",)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert (await client.get("/v1/probes/one")).text == "peek"


async def test_wrong_method_is_refused(client: AppClient, maintainer: dict[str, str]) -> None:
    answer = await client.get(PATH, headers=maintainer)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_body_is_limited(client: AppClient, maintainer: dict[str, str]) -> None:
    for size, status in ((100, 200), (101, 413)):
        answer = await client.post(PATH, content=b"x" * size, headers=maintainer)
        assert answer.status_code == status
    assert answer.json()["error"]["limit"] == "body_bytes"
    answer = await client.request(
        "GET", "/v1/things/x", content=b"x" * (PLAIN.body_bytes + 1), headers=maintainer
    )
    assert answer.status_code == 413


async def test_requests_are_charged_to_the_viewer(
    client: AppClient, maintainer: dict[str, str]
) -> None:
    assert ECHO.budget is Budget.REQUESTS
    answers = [await client.post(PATH, headers=maintainer) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["x-ratelimit-limit"] == "5"
    assert "retry-after" in answers[5].headers


async def test_other_origins_may_call_where_the_route_says_so(client: AppClient) -> None:
    headers = {"origin": PAGES, "access-control-request-method": "POST"}
    answer = await client.options(PATH, headers=headers)
    assert answer.headers["access-control-allow-origin"] == PAGES
    answer = await client.options("/v1/things/x", headers=headers)
    assert "access-control-allow-origin" not in answer.headers


async def test_only_some_routes_answer_to_any_host(
    client: AppClient, maintainer: dict[str, str]
) -> None:
    elsewhere = {"host": "10.0.0.1:8000"}
    assert (await client.get("/v1/probes/one", headers=elsewhere)).status_code == 200
    assert (await client.post(PATH, headers=maintainer | elsewhere)).status_code == 421


async def test_log_and_metrics_have_the_template(
    client: AppClient, maintainer: dict[str, str]
) -> None:
    with request_lines() as lines:
        await client.post(PATH, headers=maintainer)
        await client.get("/v1/probes/one")
        await client.get("/v1/crashes/1", headers=maintainer)
    assert [(line["path"], line["status"]) for line in lines] == [
        (ECHO.path, 200),
        (CRASH.path, 500),
    ]
    text = (await client.get("/metrics")).text
    for method, route, status in (
        ("POST", ECHO.path, 200),
        ("GET", QUIET.path, 200),
        ("GET", CRASH.path, 500),
    ):
        labels = f'{{method="{method}",route="{route}",status="{status}"}}'
        assert f"gateway_http_requests_total{labels} 1.0" in text


async def test_uses_of_tokens_are_in_the_audit_log_where_the_route_says_so(
    client: AppClient, maintainer: dict[str, str]
) -> None:
    await client.post(PATH, headers=maintainer)
    await client.get("/v1/things/x", headers=maintainer)
    await client.get("/v1/crashes/1", headers=maintainer)
    await client.gateway.token_uses.flush(everything=True)
    async with client.gateway.services.database.connection() as connection:
        rows = await connection.fetch("select action, outcome, target from audit_log")
    assert {tuple(row) for row in rows} == {
        ("token.used", "ok", ECHO.path),
        ("request.crashed", "INTERNAL", f"GET {CRASH.path}"),
    }


def test_page_of_permissions_lists_it() -> None:
    text = page(schema, ALL)
    assert "| `/v1/projects/{slug}/echo` | POST | manage |" in text
    assert "| `/v1/probes/{probe}` | GET | public |" in text
