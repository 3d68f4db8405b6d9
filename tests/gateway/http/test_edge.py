"""The edge in the whole application: hosts, foreign pages, https, introspection, the page."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from access.viewers import Role
from gateway.config.edge_policy import EdgePolicy
from gateway.config.settings import Settings
from tests.gateway.application import as_role, running, settings_for
from tests.gateway.graphql.edge import SCHEMA

PAGES = "https://pages.example.com"
HELLO = {"query": "{hello}"}
PREFLIGHT = {
    "origin": PAGES,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization, content-type",
}
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


Gateway = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def gateway(database_url: str, redis_url: str) -> Gateway:
    """Starts the application with some settings; its client asks in some role."""

    def start(*roles: Role, **changes: Any) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        return running(settings_for(database_url, redis_url, **changes), SCHEMA, **as_role(*roles))

    return start


async def test_host_that_is_not_ours_is_refused(gateway: Gateway) -> None:
    async with gateway(allowed_hosts="api.example.com, *.inside.example.com") as client:
        for host, status in {
            "api.example.com": 200,
            "API.example.com:8443": 200,
            "a.inside.example.com.": 200,
            "inside.example.com": 421,
            "evil.test": 421,
            "api.example.com.evil.test": 421,
            "": 421,
        }.items():
            answer = await client.post("/graphql", json=HELLO, headers={"host": host})
            assert answer.status_code == status, host
    assert "ALLOWED_HOSTS" in answer.json()["errors"][0]["message"]


async def test_two_hosts_are_refused_and_probes_are_answered_by_any_name(gateway: Gateway) -> None:
    async with gateway(allowed_hosts="api.example.com") as client:
        headers = [("host", "api.example.com"), ("host", "evil.test")]
        request = client.build_request("POST", "/graphql", json=HELLO)
        request.headers = httpx.Headers([*request.headers.items(), *headers])
        assert (await client.send(request)).status_code == 400
        assert (await client.get("/live", headers={"host": "10.0.0.7:8000"})).status_code == 200


@pytest.mark.parametrize(
    ("changes", "host", "allowed"),
    [
        ({"environment": "demo"}, "localhost:8000", True),
        ({"environment": "demo"}, "[::1]:8000", True),
        ({"environment": "demo"}, "rebound.evil.test:8000", False),
        ({"environment": "demo", "host": "0.0.0.0"}, "10.0.0.7:8000", True),
        ({"environment": "demo", "allowed_hosts": "*"}, "rebound.evil.test", True),
        ({"environment": "production"}, "anything.test", True),
    ],
)
def test_demo_on_this_machine_answers_to_its_names_alone(
    changes: dict[str, Any], host: str, allowed: bool
) -> None:
    assert EdgePolicy.of(Settings(**changes)).hosts.allow(host) is allowed


async def test_named_origin_may_ask(gateway: Gateway) -> None:
    async with gateway(cors_origins=PAGES) as client:
        first = await client.options("/graphql", headers=PREFLIGHT)
        answer = await client.post("/graphql", json=HELLO, headers={"origin": PAGES})
        refused = await client.post("/graphql", content="x", headers={"origin": PAGES})
    assert (first.status_code, first.headers["access-control-max-age"]) == (204, "7200")
    assert "Authorization" in first.headers["access-control-allow-headers"]
    assert answer.json() == {"data": {"hello": "hello world"}}
    for each in (first, answer, refused):
        assert each.headers["access-control-allow-origin"] == PAGES
        assert "access-control-allow-credentials" not in each.headers
        assert "Origin" in each.headers["vary"]
    assert answer.headers["vary"] == "Accept, Authorization, Accept-Encoding, Origin"
    assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
    assert "Retry-After" in refused.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "null",
        "http://pages.example.com",
        "https://pages.example.com.evil.test",
    ],
)
@pytest.mark.parametrize("named", ["", PAGES])
async def test_other_origins_are_refused_and_told_nothing(
    gateway: Gateway, origin: str, named: str
) -> None:
    async with gateway(cors_origins=named) as client:
        first = await client.options("/graphql", headers={**PREFLIGHT, "origin": origin})
        answer = await client.post("/graphql", json=HELLO, headers={"origin": origin})
        events = await client.post("/v1/events", json=[], headers={"origin": origin})
    for each in (first, answer, events):
        assert each.status_code == 403
        assert "access-control-allow-origin" not in each.headers
    assert "CORS_ORIGINS" in answer.json()["errors"][0]["message"]
    assert "CORS_ORIGINS" in events.json()["error"]["message"]


async def test_any_origin_where_the_demo_says_so(gateway: Gateway) -> None:
    async with gateway(environment="demo", cors_origins="*", allowed_hosts="*") as client:
        answer = await client.post("/graphql", json=HELLO, headers={"origin": "https://x.test"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["vary"] == "Accept, Authorization, Accept-Encoding"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "https://elsewhere.test"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://gateway"}, 200),
        ({"origin": "https://gateway:443", "host": "gateway"}, 200),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
    ],
)
async def test_simple_requests_of_foreign_pages_are_not_executed(
    gateway: Gateway, headers: dict[str, str], status: int
) -> None:
    async with gateway() as client:
        answer = await client.get("/graphql", params=HELLO, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("origin", [b"http://[::1", b"\xff\xfe", b"", b"http://", b"://gateway"])
async def test_odd_origin_is_a_foreign_one(gateway: Gateway, origin: bytes) -> None:
    async with gateway() as client:
        answer = await client.post("/graphql", json=HELLO, headers=[(b"origin", origin)])
    assert answer.status_code == 403


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_form_is_no_request(gateway: Gateway, content_type: str) -> None:
    async with gateway() as client:
        answer = await client.post(
            "/graphql", content=b'{"query":"{hello}"}', headers={"content-type": content_type}
        )
    assert answer.status_code == 415


@pytest.mark.parametrize("text", ["pages.example.com", "https://a/b", "https://*.a.test", "ftp:/x"])
def test_odd_origin_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        Settings(cors_origins=text)


def test_production_names_its_origins() -> None:
    with pytest.raises(ValueError, match="CORS_ORIGINS must name"):
        Settings(environment="production", cors_origins="*")


@pytest.mark.parametrize(
    ("changes", "headers", "told"),
    [
        ({}, {"x-forwarded-proto": "https"}, False),
        ({"trusted_proxies": "127.0.0.1"}, {"x-forwarded-proto": "https"}, True),
        ({"trusted_proxies": "127.0.0.1"}, {"x-forwarded-proto": "http"}, False),
        ({"trusted_proxies": "127.0.0.1"}, {}, False),
        ({"trusted_proxies": "10.0.0.0/8"}, {"x-forwarded-proto": "https"}, False),
        ({"hsts": "on"}, {}, True),
        ({"trusted_proxies": "127.0.0.1", "hsts": "off"}, {"x-forwarded-proto": "https"}, False),
    ],
)
async def test_https_alone_is_asked_for_where_it_is_spoken(
    gateway: Gateway, changes: dict[str, Any], headers: dict[str, str], told: bool
) -> None:
    async with gateway(**changes) as client:
        answer = await client.get("/live", headers=headers)
    assert ("strict-transport-security" in answer.headers) is told


@pytest.mark.parametrize(
    ("changes", "role", "allowed"),
    [
        ({}, Role.VIEWER, False),
        ({}, Role.MAINTAINER, True),
        ({}, Role.ADMIN, True),
        ({"graphql_introspection": "on"}, Role.VIEWER, True),
        ({"graphql_introspection": "off"}, Role.ADMIN, False),
        ({"environment": "demo", "allowed_hosts": "*"}, Role.VIEWER, True),
    ],
)
@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        '{a:__type(name:"Query"){name}}',
        "{...on Query{...F}} fragment F on Query{__schema{types{name}}}",
    ],
)
async def test_schema_is_told_to_those_who_may(
    gateway: Gateway, changes: dict[str, Any], role: Role, allowed: bool, query: str
) -> None:
    async with gateway(role, **changes) as client:
        answer = await client.post("/graphql", json={"query": query})
        names = await client.post("/graphql", json={"query": "{__typename}"})
    assert ("data" in answer.json()) is allowed
    assert answer.status_code == (200 if allowed else 403)
    assert names.status_code == 200


@pytest.mark.parametrize(
    ("changes", "graphiql", "dashboard"),
    [
        ({}, False, True),
        ({"graphiql": "on", "dashboard": False}, True, False),
        ({"environment": "demo"}, True, True),
        ({"dashboard": False}, False, False),
    ],
)
async def test_pages_are_served_where_they_are_wanted(
    gateway: Gateway, changes: dict[str, Any], graphiql: bool, dashboard: bool
) -> None:
    async with gateway(allowed_hosts="*", **changes) as client:
        del client.headers["authorization"]
        page = await client.get("/graphql", headers=HTML)
        neighbour = await client.get("/graphiql", headers=HTML)
        root = await client.get("/", headers=HTML)
        file = await client.get("/pages/index.html")
    assert page.status_code == (200 if graphiql else 401)
    assert neighbour.status_code == (307 if graphiql else 404)
    assert root.status_code == (200 if dashboard else 404)
    assert graphiql or dashboard or file.status_code == 404


@pytest.mark.parametrize("query", ["{hell}", "{node}", "{hello(nam: 1)}"])
async def test_suggestions_are_for_the_demo_alone(gateway: Gateway, query: str) -> None:
    wrong = {"query": query}
    async with gateway() as production, gateway(environment="demo", allowed_hosts="*") as demo:
        hidden = (await production.post("/graphql", json=wrong)).text
        shown = (await demo.post("/graphql", json=wrong)).text
    assert "Did you mean" not in hidden
    assert "Did you mean" in shown
