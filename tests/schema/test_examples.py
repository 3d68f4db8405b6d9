"""The examples of the GraphiQL page are answered by the schema, each as it is written there."""

from collections.abc import AsyncIterator, Iterator

import pytest

from analytics.run import Analytics
from gateway.pages.build import WORKSPACE
from ingest.intake import Intake
from resolvers.context import Services
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.keeping.windows import DEFAULT
from tests.schema.platform import ADMIN, NOW, Platform
from tests.servers import Databases

EXAMPLES = {
    path.stem: path.read_text()
    for path in sorted(
        (WORKSPACE / "src" / "dashboard" / "graphiql" / "examples").glob("*.graphql")
    )
}
RECORDING = "12-record-a-deployment"


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    """A database of its own: what is recorded here would show up in other tests' totals."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
async def empty_platform(empty_url: str) -> AsyncIterator[Platform]:
    database = await Database.open(empty_url, pool_size=2)
    dictionaries = Dictionaries(database)
    intake = Intake(database, dictionaries, lambda: NOW)
    await intake.start()
    analytics = Analytics(database, None, DEFAULT, lambda: NOW)
    yield Platform(Services(database, dictionaries, analytics, intake, b"a key", lambda: NOW))
    await intake.stop()
    await database.close()


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - {RECORDING}))
async def test_example_is_answered(platform: Platform, name: str) -> None:
    answer = await platform.ask(EXAMPLES[name], ADMIN)

    assert all(answer.values()), answer


async def test_recording_example_is_a_duplicate_the_second_time(empty_platform: Platform) -> None:
    # The page writes the time of opening where the file says 1970.
    document = EXAMPLES[RECORDING].replace("1970-01-01T00:00:00Z", NOW.isoformat())

    first = await empty_platform.ask(document, ADMIN)
    second = await empty_platform.ask(document, ADMIN)

    assert first["recordDeployment"]["userErrors"] == []
    assert first["recordDeployment"]["result"]["status"] == "ACCEPTED"
    assert second["recordDeployment"]["result"]["status"] == "DUPLICATE"
    assert second["recordDeployment"]["deployment"] == first["recordDeployment"]["deployment"]
