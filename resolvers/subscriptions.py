"""Subscriptions: send the current state, and again after each relevant change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from resolvers.context import Context
from resolvers.deployments import Deployment, Links, deployment, deployments_by_keys
from storage.errors import NotFound, Timeout, Unavailable
from storage.facts.deployments import DEPLOYMENTS
from storage.feed import feed
from storage.feed.feed import Listener
from storage.queries.deployments import Key

# Changes within this time are sent together.
GATHER_SECONDS = 0.2
RETRY_SECONDS = 1.0
# Changed deployments are read and sent in pages of this size.
PAGE_SIZE = 500

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class DeploymentChange:
    """A deployment's current state; None means that clients should reload everything."""

    deployment: Deployment | None


async def states(
    context: Context, slugs: Iterable[str] | None, load: Callable[[], Awaitable[State]]
) -> AsyncIterator[State]:
    """Yields the state now and after each change of the named projects, or of all in scope.

    After the first state it waits while the database is unavailable.
    """
    assert context.services.feed is not None
    async with context.services.feed.listening() as listener:
        context.send_again = partial(listener.notify, None)
        yield await load()
        while True:
            await _wait_for_change(context, listener, slugs)
            try:
                state = await load()
            except (Unavailable, Timeout):
                await _retry_later(listener)
            else:
                yield state


async def deployment_changes(
    context: Context, slug: str | None, id: str | None, links: Links
) -> AsyncIterator[DeploymentChange]:
    """Changes of one deployment, of a project's deployments, or of all in scope."""
    slugs = None if slug is None else [slug]
    if slugs is not None and not await _ids(context, slugs):
        raise NotFound(f"There is no project {slug!r}.", path="project")
    changes = _changes(context, slugs, links) if id is None else _states(context, id, links)
    async for change in changes:
        yield change


async def _states(context: Context, id: str, links: Links) -> AsyncIterator[DeploymentChange]:
    existed = False
    async for found in states(context, None, lambda: deployment(context, id, links)):
        if found is None and not existed:
            raise NotFound("There is no deployment with this id.", path="deployment")
        existed = True
        yield DeploymentChange(found)


async def _changes(
    context: Context, slugs: list[str] | None, links: Links
) -> AsyncIterator[DeploymentChange]:
    assert context.services.feed is not None
    context.sends_full_state = False
    database = context.services.database
    async with context.services.feed.listening() as listener:
        ids = await _ids(context, slugs)
        async with database.connection() as connection:
            position = await feed.current_position(connection, DEPLOYMENTS.name, ids)
        # No change after this is missed: clients load the rest now.
        yield DeploymentChange(None)
        while True:
            await _wait_for_change(context, listener, slugs)
            try:
                ids = await _ids(context, slugs)
                async with database.connection() as connection:
                    changed, position = await feed.entities_since(
                        connection, DEPLOYMENTS.name, position, ids
                    )
            except (Unavailable, Timeout):
                await _retry_later(listener)
                continue
            if changed is None:
                yield DeploymentChange(None)
                continue
            for start in range(0, len(changed), PAGE_SIZE):
                for found in await _current(context, changed[start : start + PAGE_SIZE], links):
                    yield DeploymentChange(found)


async def _current(context: Context, keys: Sequence[Key], links: Links) -> list[Deployment]:
    """Returns the current states; waits while the database is unavailable."""
    while True:
        try:
            await context.renew()
            return await deployments_by_keys(context, keys, links)
        except (Unavailable, Timeout):
            await asyncio.sleep(RETRY_SECONDS)


async def _wait_for_change(
    context: Context, listener: Listener, slugs: Iterable[str] | None
) -> None:
    """Waits for a relevant change, and while the database is unavailable."""
    while True:
        changed = await listener.wait()
        await asyncio.sleep(GATHER_SECONDS)
        try:
            await context.renew()
            ids = await _ids(context, slugs)
        except (Unavailable, Timeout):
            await _retry_later(listener)
            continue
        if changed is None or ids is None or changed & set(ids):
            return


async def _retry_later(listener: Listener) -> None:
    await asyncio.sleep(RETRY_SECONDS)
    listener.notify(None)


async def _ids(context: Context, slugs: Iterable[str] | None) -> list[int] | None:
    """Returns the ids of these projects, or of all in scope; None for an unlimited scope."""
    if slugs is None:
        ids = context.scope.project_ids
        return None if ids is None else list(ids)
    return list((await context.project_ids(slugs)).values())
