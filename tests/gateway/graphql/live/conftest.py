"""A gateway process for the tests of subscriptions."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.gateway.application import Process, gateway_process
from tests.gateway.graphql.live.clients import record


@pytest.fixture(scope="package")
def process(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    log = tmp_path_factory.mktemp("live") / "log"
    with gateway_process(database_url, redis_url, str(log)) as started:
        yield started
        assert "crashed" not in started.log()


@pytest.fixture
async def project(process: Process) -> str:
    """A project of the test's own."""
    slug = f"live-{uuid4().hex[:8]}"
    await record(process, slug, "first", "queued")
    return slug
