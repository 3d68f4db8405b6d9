"""A platform for tests that make alerts."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.schema.alerts.asking import new_project
from tests.schema.conftest import opened
from tests.schema.platform import Platform
from tests.servers import Databases


@pytest.fixture(scope="package")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="package")
async def platform(url: str) -> AsyncIterator[Platform]:
    """Shared by these tests: each works on projects of its own."""
    async with opened(url) as platform:
        yield platform


@pytest.fixture
async def project(platform: Platform) -> str:
    return await new_project(platform)
