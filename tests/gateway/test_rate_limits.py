"""Rate limits: exact over processes, live to change, told in headers, and fair between projects."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from access.viewers import Role
from gateway.config.settings import Settings
from gateway.embedded.processes import running as running_server
from gateway.embedded.redis import EmbeddedRedis
from tests.gateway.application import (
    eventually,
    gateway_process,
    running,
    settings_for,
    somebody,
)
from tests.gateway.graphql.edge import token
from tests.servers import temporary_folder

QUERY = {"query": "{ measures { measure } }"}


def headers_of(subject: str, *roles: Role, projects: tuple[str, ...] = ()) -> dict[str, str]:
    return {"authorization": f"Bearer {token(*roles, projects=projects, subject=subject)}"}


def limited(database_url: str, redis_url: str, **changes: Any) -> Settings:
    return settings_for(database_url, redis_url, **{"rate_limit_enabled": True, **changes})


@pytest.fixture
def redis() -> Iterator[EmbeddedRedis]:
    with temporary_folder() as folder, running_server(EmbeddedRedis(folder)) as server:
        yield server


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with running(settings) as client:
        yield client


async def burst(clients: list[httpx.AsyncClient], headers: dict[str, str], count: int) -> list[Any]:
    return await asyncio.gather(
        *(
            clients[turn % len(clients)].post("/graphql", json=QUERY, headers=headers)
            for turn in range(count)
        )
    )


def assert_exactly(answers: list[httpx.Response], capacity: int, seconds: float) -> None:
    """So many passed, and as many more as came back while a slow machine was asking."""
    passed = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(passed) + len(refused) == len(answers)
    assert capacity <= len(passed) <= capacity + math.ceil(seconds / 0.6)
    for answer in refused:
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert int(answer.headers["retry-after"]) >= 1
    for answer in passed:
        assert "retry-after" not in answer.headers


@pytest.mark.process
async def test_burst_over_four_processes_passes_110(
    database_url: str, redis: EmbeddedRedis, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                gateway_process(
                    database_url, redis.url, str(tmp_path / f"{number}.log"), RATE_LIMIT_ENABLED="1"
                )
            )
            for number in range(4)
        ]
        clients = [httpx.AsyncClient(base_url=each.url, timeout=30) for each in processes]
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert_exactly(await burst(clients, somebody(), 160), 110, loop.time() - began)
        spender = somebody()
        spending = loop.time()
        before = await burst(clients, spender, 60)
        before += await burst(clients[:1], spender, 1)  # after it this process knows of all
        await asyncio.to_thread(redis.stop)
        began = loop.time()
        # Each process counts for itself.
        headers = somebody()
        answers = await burst(clients[:1], headers, 130) + await burst(clients[1:2], headers, 130)
        assert_exactly(answers, 2 * 110, 2 * (loop.time() - began))
        # What was spent while Redis was there is spent: it goes on where it stopped.
        rest = await burst(clients[:1], spender, 80)
        assert all(answer.status_code == 200 for answer in before)
        passed = sum(answer.status_code == 200 for answer in rest)
        assert 49 <= passed <= 49 + math.ceil((loop.time() - spending) / 0.6)
        for client in clients:
            await client.aclose()


async def test_headers_agree_with_the_decisions(database_url: str, redis_url: str) -> None:
    async with gateway(limited(database_url, redis_url, rate_limit_window=3600)) as client:
        headers = somebody()
        for number in range(112):
            answer = await client.post("/graphql", json=QUERY, headers=headers)
            left = max(0, min(100, 109 - number))
            assert answer.headers["x-ratelimit-limit"] == "100"
            assert answer.headers["x-ratelimit-remaining"] == str(left)
            assert answer.status_code == (200 if number < 110 else 429)
            assert answer.headers["ratelimit-policy"].startswith('"requests";q=100;w=3600')
            assert answer.headers["ratelimit"].startswith(f'"requests";r={left};t=')
            full_at = int(answer.headers["x-ratelimit-reset"])
            spent = min(number + 1, 110)
            assert full_at - datetime.now(UTC).timestamp() == pytest.approx(spent * 36, abs=30)


async def test_headers_of_a_refusal_tell_of_the_budget_that_refused(
    database_url: str, redis_url: str
) -> None:
    changes = {"rate_limit_cost_max": 30, "rate_limit_window": 3600}
    async with gateway(limited(database_url, redis_url, **changes)) as client:
        headers = somebody()
        query = {"query": "{ deployments(first: 20) { nodes { id } } }"}
        answers = [await client.post("/graphql", json=query, headers=headers) for _ in range(3)]
        assert answers[0].headers["x-ratelimit-limit"] == "100"
        refused = answers[-1]
        assert refused.status_code == 429
        assert refused.headers["x-ratelimit-limit"] == "30"
        left = int(refused.headers["x-ratelimit-reset"]) - datetime.now(UTC).timestamp()
        assert int(refused.headers["retry-after"]) <= left + 1
        counted = (await client.get("/metrics")).text
        assert refused_of(counted, "cost") == 2
        assert refused_of(counted, "requests") == 0


def refused_of(exposition: str, budget: str) -> float:
    """How often the budget refused, as the metrics tell."""
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in exposition.splitlines()
        if line.startswith("gateway_admissions_total")
        and f'"{budget}"' in line
        and '"refused"' in line
    )


async def test_subscriptions_leave_the_requests_to_queries(
    database_url: str, redis_url: str
) -> None:
    changes = {"rate_limit_subscriptions_max": 2, "rate_limit_max": 1, "rate_limit_burst": 0}
    settings = limited(database_url, redis_url, rate_limit_window=3600, **changes)
    # It ends at once, since there is no such project.
    ends = 'subscription { deploymentStatsChanged(filter: {projects: ["nowhere"]}) { attempts } }'
    async with gateway(settings) as client:
        headers = somebody()
        streamed = headers | {"accept": "text/event-stream"}
        for _ in range(2):
            answer = await client.post("/graphql", json={"query": ends}, headers=streamed)
            assert "NOT_FOUND" in answer.text
        answer = await client.post("/graphql", json={"query": ends}, headers=streamed)
        assert "The budget subscriptions is spent: 2 every 3600 seconds" in answer.text
        answers = [await client.post("/graphql", json=QUERY, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]


async def test_waiting_as_long_as_told_is_long_enough(database_url: str, redis_url: str) -> None:
    settings = limited(
        database_url, redis_url, rate_limit_max=1, rate_limit_burst=0, rate_limit_window=1
    )
    async with gateway(settings) as client:
        headers = somebody()
        for _ in range(2):
            answer = await client.post("/graphql", json=QUERY, headers=headers)
        assert answer.status_code == 429
        await asyncio.sleep(int(answer.headers["retry-after"]))
        answer = await client.post("/graphql", json=QUERY, headers=headers)
        assert answer.status_code == 200


async def test_viewers_do_not_share_and_bad_requests_count(
    database_url: str, redis_url: str
) -> None:
    settings = limited(database_url, redis_url, rate_limit_max=3, rate_limit_burst=0)
    async with gateway(settings) as client:
        headers = somebody()
        for bad in (b"{", b'{"query": "{"}', b'{"query": "{ nonsense }"}'):
            answer = await client.post(
                "/graphql", content=bad, headers={**headers, "content-type": "application/json"}
            )
            assert answer.status_code in (200, 400)
        answer = await client.post("/graphql", json=QUERY, headers=headers)
        assert answer.status_code == 429
        other = await client.post("/graphql", json=QUERY, headers=somebody())
        assert other.status_code == 200


async def test_the_anonymous_are_counted_by_address_and_harm_no_valid_token(
    database_url: str, redis_url: str
) -> None:
    settings = limited(
        database_url, redis_url, rate_limit_address_max=3, trusted_proxies="127.0.0.0/8"
    )
    async with gateway(settings) as client:
        address = {"x-forwarded-for": "2001:db8:7::1"}
        wrong = {"authorization": "Bearer nonsense"}
        for headers in ({}, wrong, wrong):
            answer = await client.post("/graphql", json=QUERY, headers=address | headers)
            assert answer.status_code == 401
        # Of an IPv6 network one is as good as another.
        neighbour = {"x-forwarded-for": "2001:db8:7::2"}
        answer = await client.post("/graphql", json=QUERY, headers=neighbour)
        assert answer.status_code == 429
        assert answer.headers["retry-after"]
        events = await client.post("/v1/events", json=[], headers=address)
        assert events.status_code == 429
        answer = await client.post("/graphql", json=QUERY, headers=address | somebody())
        assert answer.status_code == 200
        elsewhere = await client.post(
            "/graphql", json=QUERY, headers={"x-forwarded-for": "10.1.1.1"}
        )
        assert elsewhere.status_code == 401


async def test_probes_pages_and_metrics_are_exempt(database_url: str, redis_url: str) -> None:
    settings = limited(database_url, redis_url, rate_limit_address_max=1, graphiql="on")
    async with gateway(settings) as client:
        for path in ("/health", "/ready", "/live", "/metrics", "/graphql", "/", "/demo-token"):
            for _ in range(5):
                answer = await client.get(path, headers={"accept": "text/html, */*;q=0.1"})
                assert answer.status_code == 200
                assert "x-ratelimit-limit" not in answer.headers


async def set_limit(client: httpx.AsyncClient, **limit: Any) -> dict[str, Any]:
    query = """mutation($i: RateLimitInput!) {
      setRateLimit(input: $i) { rateLimit { limit isDefault } userErrors { field code } } }"""
    answer = await client.post(
        "/graphql", json={"query": query, "variables": {"i": limit}}, headers=somebody(Role.ADMIN)
    )
    payload: dict[str, Any] = answer.json()["data"]["setRateLimit"]
    return payload


async def test_admins_change_limits_live_in_every_process(
    own_database_url: str, redis_url: str
) -> None:
    settings = limited(own_database_url, redis_url)
    async with gateway(settings) as here, gateway(settings) as there:
        subject = f"changed-{uuid4().hex}"
        headers = headers_of(subject, Role.VIEWER)
        name = {"budget": "requests", "subject": f"subject:{subject}"}
        done = await set_limit(here, **name, limit=7)
        assert done["rateLimit"] == {"limit": 7, "isDefault": False}

        async def told(limit: str) -> bool:
            answer = await there.post("/graphql", json=QUERY, headers=headers)
            return str(answer.headers.get("x-ratelimit-limit")) == limit

        await eventually(lambda: told("7"), seconds=3)
        await set_limit(here, **name, limit=7, exempt=True)

        async def unlimited() -> bool:
            answer = await there.post("/graphql", json=QUERY, headers=headers)
            return '"requests"' not in answer.headers.get("ratelimit", "")

        await eventually(unlimited, seconds=3)
        delete = (
            'mutation { deleteRateLimit(input: {budget: "requests", subject: "subject:%s"}) '
            "{ deleted userErrors { code } } }"
        )
        answer = await here.post(
            "/graphql", json={"query": delete % subject}, headers=somebody(Role.ADMIN)
        )
        assert answer.json()["data"]["deleteRateLimit"] == {"deleted": True, "userErrors": []}
        await eventually(lambda: told("100"), seconds=3)


async def test_operations_have_limits_where_admins_set_them(
    own_database_url: str, redis_url: str
) -> None:
    async with gateway(limited(own_database_url, redis_url)) as client:
        await set_limit(client, budget="operation:measures", limit=2, windowSeconds=600)
        headers = somebody()

        async def is_limited() -> bool:
            answer = await client.post("/graphql", json=QUERY, headers=headers)
            return answer.status_code == 429

        await eventually(is_limited, seconds=3)
        other = await client.post(
            "/graphql", json={"query": "{ networks { name } }"}, headers=headers
        )
        assert other.status_code == 200


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"budget": "nonsense", "limit": 5}, "budget"),
        ({"budget": "operation:", "limit": 5}, "budget"),
        ({"budget": "requests", "limit": 0}, "limit"),
        ({"budget": "requests", "limit": 2_000_000_000}, "limit"),
        ({"budget": "requests", "limit": 5, "windowSeconds": 0}, "windowSeconds"),
        ({"budget": "requests", "limit": 5, "burst": -1}, "burst"),
        ({"budget": "requests", "limit": 1, "windowSeconds": 86_400, "burst": 40_000}, "burst"),
        ({"budget": "requests", "limit": 5, "subject": "x" * 301}, "subject"),
    ],
)
async def test_limits_that_make_no_sense_are_refused(
    database_url: str, redis_url: str, wrong: dict[str, Any], field: str
) -> None:
    async with gateway(limited(database_url, redis_url)) as client:
        done = await set_limit(client, **wrong)
        assert done["rateLimit"] is None
        assert [error["field"] for error in done["userErrors"]] == [["input", field]]


async def test_rules_in_force_are_listed_for_admins_alone(
    own_database_url: str, redis_url: str
) -> None:
    query = {"query": "{ rateLimits { budget subject limit windowSeconds burst isDefault } }"}
    async with gateway(limited(own_database_url, redis_url)) as client:
        await set_limit(client, budget="cost", subject="subject:ada", limit=5)
        answer = await client.post("/graphql", json=query, headers=somebody(Role.ADMIN))
        rules = answer.json()["data"]["rateLimits"]
        assert [rule["budget"] for rule in rules] == [
            "address", "cost", "cost", "events", "kibibytes", "requests", "subscriptions",
        ]  # fmt: skip
        requests = {"budget": "requests", "subject": None, "limit": 100, "windowSeconds": 60}
        assert rules[-2] == requests | {"burst": 10, "isDefault": True}
        answer = await client.post("/graphql", json=query, headers=somebody(Role.MAINTAINER))
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def events_for(project: str, count: int) -> list[dict[str, Any]]:
    now = datetime.now(UTC).isoformat()
    return [
        {"type": "deployment.queued", "project": project, "deployment": uuid4().hex, "time": now}
        for _ in range(count)
    ]


async def test_a_projects_events_beyond_its_budget_are_refused_and_others_stored(
    own_database_url: str, redis_url: str
) -> None:
    loud, quiet = f"loud-{uuid4().hex[:8]}", f"quiet-{uuid4().hex[:8]}"
    async with gateway(limited(own_database_url, redis_url)) as client:
        await set_limit(client, budget="events", subject=loud, limit=10, windowSeconds=600)
        headers = somebody(Role.ADMIN)

        async def is_refused() -> bool:
            answer = await client.post("/v1/events", json=events_for(loud, 10), headers=headers)
            return answer.status_code == 429

        await eventually(is_refused)
        both = [*events_for(loud, 2), *events_for(quiet, 3)]
        answer = await client.post("/v1/events", json=both, headers=headers)
        results = answer.json()["results"]
        assert answer.status_code == 200
        assert [result.get("code") for result in results] == ["RATE_LIMITED"] * 2 + [None] * 3
        assert "seconds" in results[0]["message"]
        refused = await client.post("/v1/events", json=events_for(loud, 1), headers=headers)
        assert int(refused.headers["retry-after"]) > 1
        mutation = """mutation($e: DeploymentEventInput!) {
          recordDeployment(input: $e) { result { status } } }"""
        event = {"type": "QUEUED", "project": loud, "deployment": "x"}
        event["time"] = datetime.now(UTC).isoformat()
        answer = await client.post(
            "/graphql", json={"query": mutation, "variables": {"e": event}}, headers=headers
        )
        assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_body_of_many_projects_leaves_the_limits_shared(
    own_database_url: str, redis_url: str
) -> None:
    now = datetime.now(UTC).isoformat()
    events = [
        {"type": "deployment.queued", "project": f"many-{n}", "deployment": "d", "time": now}
        for n in range(2_000)
    ]
    async with gateway(limited(own_database_url, redis_url)) as client:
        answer = await client.post("/v1/events", json=events, headers=somebody(Role.ADMIN))
        assert {result["status"] for result in answer.json()["results"]} == {"accepted"}
        metrics = (await client.get("/metrics")).text
        assert "gateway_limits_fallbacks_total 0.0" in metrics


async def test_bytes_of_events_have_a_budget(own_database_url: str, redis_url: str) -> None:
    async with gateway(limited(own_database_url, redis_url)) as client:
        await set_limit(client, budget="kibibytes", limit=20, windowSeconds=600)
        headers = somebody(Role.INGEST)

        async def is_refused() -> bool:
            body = b" " * 15 * 1024 + b"[]"
            answer = await client.post("/v1/events", content=body, headers=headers)
            return answer.status_code == 429 and "retry-after" in answer.headers

        await eventually(is_refused)


async def test_one_process_bounds_the_requests_of_one_sender(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.rest.guard.REQUESTS_PER_MINUTE", 2)
    async with gateway(limited(database_url, redis_url)) as client:
        headers = somebody(Role.INGEST)
        answers = [await client.post("/v1/events", json=[], headers=headers) for _ in range(3)]
        assert [answer.status_code for answer in answers].index(429) == 2
        assert answers[2].json()["error"]["code"] == "RATE_LIMITED"
        assert 50 <= int(answers[2].headers["retry-after"]) <= 60
        other = await client.post("/v1/events", json=[], headers=somebody(Role.INGEST))
        assert other.status_code != 429


async def test_limits_can_be_switched_off(database_url: str, redis_url: str) -> None:
    settings = settings_for(database_url, redis_url, rate_limit_enabled=False, rate_limit_max=1)
    async with gateway(settings) as client:
        headers = somebody()
        for _ in range(5):
            answer = await client.post("/graphql", json=QUERY, headers=headers)
            assert answer.status_code == 200
            assert "x-ratelimit-limit" not in answer.headers
