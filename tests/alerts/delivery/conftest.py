"""A stage for each test, on a database that these tests share and find empty."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.alerts.delivery.stage import Stage, stage
from tests.servers import Databases


@pytest.fixture(scope="session")
def stage_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture
async def told(stage_url: str) -> AsyncIterator[Stage]:
    """Rules, channels and transitions to be told; nobody else works on this database."""
    async with stage(stage_url) as found:
        await found.execute(
            "truncate alert_rules, alert_instances, alert_events, alert_channels, alert_silences,"
            " alert_outbox, alert_sends, alert_attempts, alert_told, project_members, projects"
        )
        yield found
