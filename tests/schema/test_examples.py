"""The examples of the GraphiQL page are answered by the schema, each as it is written there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from analytics.run import Analytics
from gateway.graphql import bundle
from ingest.intake import Intake
from resolvers.context import Services
from storage.database import Database
from storage.dimensions import Dictionaries
from storage.windows import DEFAULT
from tests.schema.platform import ADMIN, NOW, Platform
from tests.servers import Databases

EXAMPLES = sorted((bundle.FOLDER / "src" / "examples").glob("*.graphql"))
READING = [path for path in EXAMPLES if "mutation" not in path.read_text()]
RECORDING = [path for path in EXAMPLES if "mutation" in path.read_text()]


@pytest.fixture
async def empty_platform(databases: Databases) -> AsyncIterator[Platform]:
    """A database of its own: what is recorded here would show up in other tests' totals."""
    with databases.fresh() as url:
        database = await Database.open(url, pool_size=2)
        dictionaries = Dictionaries(database)
        intake = Intake(database, dictionaries, lambda: NOW)
        await intake.start()
        analytics = Analytics(database, None, DEFAULT, lambda: NOW)
        yield Platform(Services(database, dictionaries, analytics, intake, b"a key", lambda: NOW))
        await intake.stop()
        await database.close()


def _name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("example", READING, ids=_name)
async def test_example_is_answered(platform: Platform, example: Path) -> None:
    answer = await platform.ask(example.read_text(), ADMIN)

    assert all(answer.values()), answer


@pytest.mark.parametrize("example", RECORDING, ids=_name)
async def test_recording_example_is_a_duplicate_the_second_time(
    empty_platform: Platform, example: Path
) -> None:
    # The page writes the time of opening where the file says 1970.
    document = example.read_text().replace("1970-01-01T00:00:00Z", NOW.isoformat())

    first = await empty_platform.ask(document, ADMIN)
    second = await empty_platform.ask(document, ADMIN)

    assert first["recordDeployment"]["userErrors"] == []
    assert first["recordDeployment"]["result"]["status"] == "ACCEPTED"
    assert second["recordDeployment"]["result"]["status"] == "DUPLICATE"
    assert second["recordDeployment"]["deployment"] == first["recordDeployment"]["deployment"]
