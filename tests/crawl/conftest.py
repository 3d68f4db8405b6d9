"""The two worlds, made once: the second is a copy of the first with the other tenant added."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.crawl.calls import Calls
from tests.crawl.secrets import Secrets, found
from tests.crawl.world import World, Worlds, load_hidden, load_own, opened
from tests.servers import Databases


@contextmanager
def copy_of(databases: Databases, url: str) -> Iterator[str]:
    name, original = f"copy_{uuid4().hex[:12]}", url.partition("?")[0].rsplit("/", 1)[1]
    databases.execute(f"create database {name} template {original}")
    try:
        yield databases.url(name)
    finally:
        databases.execute(f"drop database {name} with (force)")


@dataclass(frozen=True, slots=True)
class Urls:
    """The databases of two worlds."""

    without: str
    within: str

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Worlds]:
        async with opened(self.without) as without, opened(self.within) as within:
            yield Worlds(without, within)


@pytest.fixture(scope="session")
def world_urls(databases: Databases) -> Iterator[Urls]:
    with databases.fresh() as without:
        asyncio.run(_load(without, load_own))
        with copy_of(databases, without) as within:
            asyncio.run(_load(within, load_hidden))
            yield Urls(without, within)


async def _load(url: str, load: Callable[[World], Awaitable[None]]) -> None:
    async with opened(url) as world:
        await load(world)


@pytest.fixture(scope="session")
def written_urls(databases: Databases, world_urls: Urls) -> Iterator[Urls]:
    """Copies for what writes: a tenant may itself write a name of the other's."""
    with (
        copy_of(databases, world_urls.without) as without,
        copy_of(databases, world_urls.within) as within,
    ):
        yield Urls(without, within)


@pytest.fixture(scope="session")
async def worlds(world_urls: Urls, written_urls: Urls) -> AsyncIterator[Worlds]:
    # The copies come first: nobody may be connected to what is copied.
    async with world_urls.opened() as worlds:
        yield worlds


@pytest.fixture(scope="session")
async def written_worlds(written_urls: Urls) -> AsyncIterator[Worlds]:
    async with written_urls.opened() as worlds:
        yield worlds


@pytest.fixture(scope="session")
async def secrets(worlds: Worlds) -> Secrets:
    return await found(worlds.within)


@pytest.fixture(scope="session")
def calls(worlds: Worlds, written_worlds: Worlds, secrets: Secrets) -> Calls:
    return Calls(worlds, written_worlds, secrets)
