"""Templates and networks: provisioned from their files, once."""

from pathlib import Path

import orjson

from ingest.bulk import Target
from ingest.importers import IMPORTERS
from ingest.importers.catalogues import NETWORKS, TEMPLATES, Chain
from ingest.importers.files import Problem
from storage.connections.database import Database
from storage.dictionaries import TemplateFields
from storage.keeping.windows import DEFAULT
from tests.ingest.conftest import now
from tests.ingest.importers.counting import DATA


def jsonl(path: Path, *values: object) -> Path:
    path.write_bytes(b"\n".join(orjson.dumps(value) for value in values))
    return path


def lines_of(name: str) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in (DATA / name).read_bytes().splitlines()]


async def test_templates_are_stored_as_they_are_in_the_file(
    own_database_url: str, database: Database
) -> None:
    target = Target(own_database_url, now(), DEFAULT)
    first = await IMPORTERS["templates"].run(DATA, target)
    second = await IMPORTERS["templates"].run(DATA, target)
    assert (first.accepted, first.duplicates, first.problems) == (60, 0, ())
    assert (second.accepted, second.duplicates, second.problems) == (0, 60, ())
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select slug, name, description, tags from templates where template_id > 1"
        )
    expected: set[tuple[object, ...]] = {
        (line["id"], line["name"], line["description"], tuple(line["tags"]))  # type: ignore[arg-type]
        for line in lines_of("templates/dokploy-templates.jsonl")
    }
    assert {(row[0], row[1], row[2], tuple(row[3])) for row in rows} == expected


async def test_networks_are_stored_with_their_chains(
    own_database_url: str, database: Database
) -> None:
    target = Target(own_database_url, now(), DEFAULT)
    imported = await IMPORTERS["networks"].run(DATA, target)
    assert (imported.accepted, imported.duplicates) == (7, 1)  # metis is always there
    async with database.connection() as connection:
        rows = await connection.fetch("select name, title, chain_id from networks")
    chain_ids = {row["name"]: row["chain_id"] for row in rows if row["chain_id"]}
    assert set(chain_ids.values()) >= {
        line["chainId"] for line in lines_of("networks/chains.jsonl")
    }
    assert chain_ids["metis"] == 1088
    assert chain_ids["arbitrum"] == 42161


def test_entries_without_a_valid_slug_are_reported(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "templates.jsonl",
        {"id": "n8n", "name": "n8n"},
        {"id": "Other Name", "name": "x"},
        {"id": "other", "name": "x"},
        {"id": "a", "name": "A", "tags": "one"},
        {"id": "b"},
        {"id": "pre0.22.5-x", "name": "B", "description": "", "tags": ["ok"]},
    )
    found = list(TEMPLATES.read(path))
    assert [item for item in found if isinstance(item, TemplateFields)] == [
        TemplateFields("n8n", "n8n", None, tags=()),
        TemplateFields("pre0.22.5-x", "B", None, tags=("ok",)),
    ]
    assert [item.location for item in found if isinstance(item, Problem)] == [
        f"templates.jsonl:{line}" for line in (2, 3, 4, 5)
    ]


def test_chain_we_have_no_name_for_bears_its_own(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "chains.jsonl",
        {"chainId": 8453, "name": "Base", "shortName": "BASE"},
        {"chainId": 0, "name": "None", "shortName": "none"},
        {"chainId": 7, "name": "Nameless"},
    )
    network, *problems = NETWORKS.read(path)
    assert network == Chain("base", "Base", 8453)
    assert [item.location for item in problems if isinstance(item, Problem)] == [
        "chains.jsonl:2",
        "chains.jsonl:3",
    ]
