"""Dictionaries answer what exists, create what may be created, and survive races."""

import asyncio
from uuid import uuid4

import pytest

from storage.connections.database import Database
from storage.dictionaries import (
    Dictionaries,
    TemplateFields,
    upsert_network,
    upsert_project,
    upsert_template,
)
from storage.dimensions import DIMENSIONS, ENVIRONMENT, NETWORK, OTHER, Dimension


def fresh(word: str) -> str:
    return f"{word}-{uuid4().hex[:8]}"


async def test_ids_are_of_what_exists_alone(database: Database) -> None:
    dictionaries = Dictionaries(database)
    found = await dictionaries.ids(NETWORK, ["metis", "hyperion", "atlantis"])
    assert found == {"metis": 2, "hyperion": 3}
    assert await dictionaries.names(NETWORK, [3, 99]) == {3: "hyperion"}


async def test_known_names_are_looked_up_once(database_url: str) -> None:
    seen: list[str] = []
    database = await Database.open(database_url, on_statement=lambda name, _: seen.append(name))
    dictionaries = Dictionaries(database)
    for _ in range(3):
        await dictionaries.ids(NETWORK, ["metis"])
        await dictionaries.names(NETWORK, [2])
    assert seen == ["network_ids"]
    await database.close()


async def test_name_provisioned_elsewhere_is_found_next_time(database: Database) -> None:
    dictionaries, slug = Dictionaries(database), fresh("shop")
    assert await dictionaries.project_ids([slug]) == {}
    async with database.transaction() as connection:
        project_id = await upsert_project(connection, slug)
    assert await dictionaries.project_ids([slug]) == {slug: project_id}


async def test_name_rolled_back_is_not_remembered(database: Database) -> None:
    dictionaries, name = Dictionaries(database), fresh("staging")
    with pytest.raises(ZeroDivisionError):
        await _ensure_and_fail(database, dictionaries, name)
    assert await dictionaries.ids(ENVIRONMENT, [name]) == {}


async def _ensure_and_fail(database: Database, dictionaries: Dictionaries, name: str) -> None:
    async with database.transaction() as connection:
        ids = await dictionaries.ensure(connection, ENVIRONMENT, [name])
        assert ids[name] > OTHER
        raise ZeroDivisionError


async def test_new_names_get_one_id_each_however_many_ask(database: Database) -> None:
    names = [fresh("environment") for _ in range(20)]

    async def ensure(turn: int) -> dict[str, int]:
        mine = names[turn:] + names[:turn]
        async with database.transaction() as connection:
            return await Dictionaries(database).ensure(connection, ENVIRONMENT, mine)

    first, *others = await asyncio.gather(*(ensure(turn) for turn in range(4)))
    assert len(set(first.values())) == 20
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    "dimension", [each for each in DIMENSIONS.values() if each.interned], ids=str
)
async def test_full_dictionary_answers_other(own_database: Database, dimension: Dimension) -> None:
    dictionaries = Dictionaries(own_database)
    async with own_database.transaction() as connection:
        first = (await dictionaries.ensure(connection, dimension, ["first"]))["first"]
        await connection.execute(
            f"insert into {dimension.dictionary.name} ({dimension.column}, name)"
            " values ($1, 'last')",
            dimension.at_most,
        )
        ids = await dictionaries.ensure(connection, dimension, ["first", "last", "beyond"])
    assert ids == {"first": first, "last": dimension.at_most, "beyond": OTHER}
    assert first > OTHER


async def test_projects_are_created_once(database: Database) -> None:
    slugs = [fresh("shop"), fresh("shop")]

    async def create() -> dict[str, int]:
        async with database.transaction() as connection:
            return await Dictionaries(database).create_projects(connection, slugs)

    first, second = await asyncio.gather(create(), create())
    assert first == second
    assert first.keys() == set(slugs)


async def test_upserts_change_only_what_is_given(database: Database) -> None:
    slug = fresh("next")
    async with database.transaction() as connection:
        template = TemplateFields(slug, name="Next", category="web", tags=("react", "ssr"))
        template_id = await upsert_template(connection, template)
        assert await upsert_template(connection, TemplateFields(slug, description="A site")) == (
            template_id
        )
        row = await connection.fetchrow("select * from templates where slug = $1", slug)
        assert (row["name"], row["category"], row["description"], row["tags"]) == (
            "Next",
            "web",
            "A site",
            ["react", "ssr"],
        )
        assert await upsert_network(connection, "metis") == 2
        assert await connection.fetchval("select chain_id from networks where name = 'metis'") == (
            1088
        )


async def test_first_new_network_comes_after_the_reserved_ones(own_database: Database) -> None:
    async with own_database.transaction() as connection:
        assert await upsert_network(connection, "atlantis", "Atlantis", 7) == 4
