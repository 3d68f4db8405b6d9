"""The examples of the GraphiQL page are answered by the schema, each as it is written there."""

from pathlib import Path

import pytest

from gateway.graphql import bundle
from tests.schema.platform import ADMIN, NOW, Platform

EXAMPLES = sorted((bundle.FOLDER / "src" / "examples").glob("*.graphql"))
READING = [path for path in EXAMPLES if "mutation" not in path.read_text()]
RECORDING = [path for path in EXAMPLES if "mutation" in path.read_text()]


def _name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("example", READING, ids=_name)
async def test_example_is_answered(platform: Platform, example: Path) -> None:
    answer = await platform.ask(example.read_text(), ADMIN)

    assert all(answer.values()), answer


@pytest.mark.parametrize("example", RECORDING, ids=_name)
async def test_recording_example_is_a_duplicate_the_second_time(
    platform: Platform, example: Path
) -> None:
    # The page writes the time of opening where the file says 1970.
    document = example.read_text().replace("1970-01-01T00:00:00Z", NOW.isoformat())

    first = await platform.ask(document, ADMIN)
    second = await platform.ask(document, ADMIN)

    assert first["recordDeployment"]["userErrors"] == []
    assert first["recordDeployment"]["result"]["status"] == "ACCEPTED"
    assert second["recordDeployment"]["result"]["status"] == "DUPLICATE"
    assert second["recordDeployment"]["deployment"] == first["recordDeployment"]["deployment"]
