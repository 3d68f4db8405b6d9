"""Subscriptions: the state now, then again after each change that concerns it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from resolvers.context import Context
from resolvers.deployments import Deployment, Links, deployment, recorded_deployments
from storage.errors import NotFound, Timeout, Unavailable
from storage.facts.deployments import DEPLOYMENTS
from storage.feed import feed
from storage.feed.feed import Listener
from storage.queries.deployments import Key

# Changes that come together are told together.
GATHERED_SECONDS = 0.2
RETRY_SECONDS = 1.0
# So many of the deployments that have changed are read at once, when the ones before are told.
PAGE_SIZE = 500

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class DeploymentChange:
    """A deployment as it now is; without one, everything should be asked for anew."""

    deployment: Deployment | None


async def states(
    context: Context, slugs: Iterable[str] | None, load: Callable[[], Awaitable[State]]
) -> AsyncIterator[State]:
    """What is loaded now, and after each change of the projects: all in scope, or these slugs'.

    Once it has begun, the database being away is waited out.
    """
    assert context.services.feed is not None
    async with context.services.feed.listening() as listener:
        context.ask_again = partial(listener.tell, None)
        yield await load()
        while True:
            await _heard(context, listener, slugs)
            try:
                state = await load()
            except (Unavailable, Timeout):
                await _later(listener)
            else:
                yield state


async def deployment_changes(
    context: Context, slug: str | None, id: str | None, links: Links
) -> AsyncIterator[DeploymentChange]:
    """One deployment's states from now on, or the changes of a project's, or of all in scope."""
    slugs = None if slug is None else [slug]
    if slugs is not None and not await _ids(context, slugs):
        raise NotFound("There is no such project.", path="project")
    changes = _changes(context, slugs, links) if id is None else _states(context, id, links)
    async for change in changes:
        yield change


async def _states(context: Context, id: str, links: Links) -> AsyncIterator[DeploymentChange]:
    was_there = False
    async for found in states(context, None, lambda: deployment(context, id, links)):
        if found is None and not was_there:
            raise NotFound("There is no such deployment.", path="deployment")
        was_there = True
        yield DeploymentChange(found)


async def _changes(
    context: Context, slugs: list[str] | None, links: Links
) -> AsyncIterator[DeploymentChange]:
    assert context.services.feed is not None
    context.tells_states = False
    database = context.services.database
    async with context.services.feed.listening() as listener:
        ids = await _ids(context, slugs)
        async with database.connection() as connection:
            position = await feed.current_position(connection, DEPLOYMENTS.name, ids)
        # From here on nothing is missed: whoever needs more asks now.
        yield DeploymentChange(None)
        while True:
            await _heard(context, listener, slugs)
            try:
                ids = await _ids(context, slugs)
                async with database.connection() as connection:
                    changed, position = await feed.entities_since(
                        connection, DEPLOYMENTS.name, position, ids
                    )
            except (Unavailable, Timeout):
                await _later(listener)
                continue
            if changed is None:
                yield DeploymentChange(None)
                continue
            for start in range(0, len(changed), PAGE_SIZE):
                for found in await _recorded(context, changed[start : start + PAGE_SIZE], links):
                    yield DeploymentChange(found)


async def _recorded(context: Context, keys: Sequence[Key], links: Links) -> list[Deployment]:
    """Return the deployments as they are now; the database being away is waited out."""
    while True:
        try:
            await context.renew()
            return await recorded_deployments(context, keys, links)
        except (Unavailable, Timeout):
            await asyncio.sleep(RETRY_SECONDS)


async def _heard(context: Context, listener: Listener, slugs: Iterable[str] | None) -> None:
    """Wait for a change that concerns the viewer; the database being away is waited out."""
    while True:
        changed = await listener.wait()
        await asyncio.sleep(GATHERED_SECONDS)
        try:
            await context.renew()
            ids = await _ids(context, slugs)
        except (Unavailable, Timeout):
            await _later(listener)
            continue
        if changed is None or ids is None or changed & set(ids):
            return


async def _later(listener: Listener) -> None:
    await asyncio.sleep(RETRY_SECONDS)
    listener.tell(None)


async def _ids(context: Context, slugs: Iterable[str] | None) -> list[int] | None:
    """The ids of those projects in scope, or of all; None where the scope is everything."""
    if slugs is None:
        ids = context.scope.project_ids
        return None if ids is None else list(ids)
    visible = [slug for slug in slugs if context.viewer.may_name(slug)]
    found = await context.services.dictionaries.project_ids(visible) if visible else {}
    return [id for id in found.values() if id in context.scope]
