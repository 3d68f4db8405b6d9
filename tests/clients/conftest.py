"""A gateway of its own with a project of five deployments, for clients to ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from access.viewers import Role
from tests.clients import node
from tests.gateway.application import as_role, gateway_process
from tests.gateway.graphql.edge import token

PROJECT = "clients"
DEPLOYMENTS = 5
SUCCEEDED = 4


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where the gateway answers, and who asks."""

    url: str
    token: str

    @property
    def variables(self) -> dict[str, str]:
        return {
            "GATEWAY_URL": self.url,
            "GATEWAY_TOKEN": self.token,
            "GATEWAY_PROJECT": PROJECT,
        }


@pytest.fixture(scope="session")
def packages() -> None:
    node.install()


@pytest.fixture(scope="module")
def gateway(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    log = tmp_path_factory.mktemp("clients") / "gateway.log"
    with gateway_process(database_url, redis_url, str(log)) as process:
        _record(process.url)
        yield Gateway(process.url, token(Role.ADMIN))


def _record(url: str) -> None:
    now = datetime.now(UTC) - timedelta(hours=1)
    events = [
        {
            "type": kind,
            "deployment": f"client-{number}",
            "project": PROJECT,
            "network": "metis",
            "id": f"client-{number}-{kind}",
            "time": (now + timedelta(minutes=number, seconds=seconds)).isoformat(),
        }
        for number in range(DEPLOYMENTS)
        for kind, seconds in (
            ("started", 0),
            ("succeeded" if number < SUCCEEDED else "failed", 30),
        )
    ]
    with httpx.Client(base_url=url, headers=as_role(Role.ADMIN)) as client:
        named = 'mutation { upsertProject(input: {slug: "%s"}) { userErrors { code } } }'
        client.post("/graphql", json={"query": named % PROJECT}).raise_for_status()
        answer = client.post("/v1/events", json=events)
    statuses = {result["status"] for result in answer.json()["results"]}
    assert statuses <= {"accepted", "duplicate"}, answer.text


def schema_file() -> Path:
    return Path(__file__).parent.parent.parent / "schema.graphql"
