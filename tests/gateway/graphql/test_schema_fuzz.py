"""Whatever is asked of the real schema, nothing crashes: every failure is one we meant."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.viewers import Role
from schema import schema
from schema.internals import core
from tests.gateway.application import as_role, running, settings_for
from tests.gateway.graphql.generated import requests

EXAMPLES = 200
SAMPLES = st.lists(requests(core(schema)), min_size=10, max_size=10)
FUZZ = settings(
    max_examples=EXAMPLES // 10,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


async def ask(client: httpx.AsyncClient, body: dict[str, Any], codes: Counter[str]) -> None:
    response = await client.post("/graphql", json=body)
    assert response.status_code < 500, (body, response.text)
    for error in response.json().get("errors", [{"extensions": {"code": "ok"}}]):
        codes[error["extensions"]["code"]] += 1
        assert error["extensions"]["code"] != "INTERNAL", (body, response.text)


def event(number: int) -> dict[str, Any]:
    """Deployments of today in the project that the generated words name."""
    words = ("queued", "started", "succeeded", "failed")
    return {
        "id": f"fuzz-{number}",
        "type": f"deployment.{words[number % 4]}",
        "time": datetime.now(UTC).isoformat(),
        "project": "demo",
        "deployment": f"fuzz-{number // 4}",
        "environment": "production",
        "network": "metis",
    }


async def test_generated_requests_never_crash(database_url: str, redis_url: str) -> None:
    codes: Counter[str] = Counter()

    @FUZZ
    @given(SAMPLES)
    def collect(bodies: list[dict[str, Any]]) -> None:
        collected.extend(bodies)

    collected: list[dict[str, Any]] = []
    collect()
    settings = settings_for(database_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        await client.post("/v1/events", json=[event(number) for number in range(8)])
        for body in collected:
            await ask(client, body, codes)
    assert codes["ok"] > len(collected) / 20, codes
