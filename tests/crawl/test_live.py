"""Subscriptions: what happens to another tenant is not so much as a knock at the door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from graphql import parse, subscribe

from resolvers.context import Context
from tests.crawl.documents import CORE
from tests.crawl.scopes import Place, changed, unscoped
from tests.crawl.world import HERON, Worlds, record
from tests.schema.platform import NOW, event

# Changes are told within a second and a bit.
LONG_ENOUGH_SECONDS = 3.0
FIGURES = "subscription { deploymentStatsChanged { attempts } }"
CHANGES = "subscription { deploymentChanged { deployment { externalId } } }"
IDS = Place("resolvers.subscriptions", None, "_ids")


@asynccontextmanager
async def listening(worlds: Worlds, text: str) -> AsyncIterator[AsyncGenerator[Any, None]]:
    """A subscription of ours that has said what it says at once."""
    context = await Context.create(worlds.within.services, HERON, "request-1")
    stream: Any = subscribe(CORE, parse(text), context_value=context)
    stream = await stream if asyncio.iscoroutine(stream) else stream
    async with aclosing(stream):
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            await anext(stream)
        context.release()
        yield stream
    context.release()


async def told(stream: AsyncGenerator[Any, None]) -> Any | None:
    """What comes next, if anything does."""
    try:
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            return (await anext(stream)).data
    except TimeoutError:
        return None


async def something_happens(worlds: Worlds, project: str, name: str) -> None:
    await record(worlds.within, [event("succeeded", project, name, NOW)])


@pytest.mark.parametrize(("text", "name"), [(FIGURES, "figures"), (CHANGES, "changes")])
async def test_only_our_own_changes_are_told(written_worlds: Worlds, text: str, name: str) -> None:
    async with listening(written_worlds, text) as stream:
        await something_happens(written_worlds, "quagga", f"quagga-{name}")
        assert await told(stream) is None
    async with listening(written_worlds, text) as stream:
        await something_happens(written_worlds, "heron", f"heron-{name}")
        assert await told(stream) is not None


async def test_without_the_scope_others_changes_would_be_told(written_worlds: Worlds) -> None:
    with changed(IDS, unscoped):
        async with listening(written_worlds, FIGURES) as stream:
            await something_happens(written_worlds, "quagga", "quagga-unscoped")
            assert await told(stream) is not None
