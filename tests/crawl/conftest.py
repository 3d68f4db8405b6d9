"""The two worlds, made once: the second is a copy of the first with the other tenant added."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from tests.crawl.secrets import Secrets, found
from tests.crawl.world import Worlds, load_catalogue, load_hidden, load_own, opened
from tests.servers import Databases


@contextmanager
def copy_of(databases: Databases, url: str) -> Iterator[str]:
    name, original = f"copy_{uuid4().hex[:12]}", url.partition("?")[0].rsplit("/", 1)[1]
    databases.execute(f"create database {name} template {original}")
    try:
        yield databases.url(name)
    finally:
        databases.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def world_urls(databases: Databases) -> Iterator[tuple[str, str]]:
    with databases.fresh() as url:
        asyncio.run(_loaded(url))
        with copy_of(databases, url) as other:
            yield url, other


async def _loaded(url: str) -> None:
    async with opened(url) as world:
        await load_catalogue(world)
        await load_own(world)


@pytest.fixture(scope="session")
async def worlds(world_urls: tuple[str, str]) -> AsyncIterator[Worlds]:
    own, both = world_urls
    async with opened(own) as without, opened(both) as within:
        await load_hidden(within)
        yield Worlds(without, within)


@pytest.fixture(scope="session")
async def secrets(worlds: Worlds) -> Secrets:
    return await found(worlds.within)
