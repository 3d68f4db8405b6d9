"""Subscriptions: the state now, then again after each change that concerns it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from resolvers.context import Context
from resolvers.deployments import Deployment, Links, deployment, recorded_deployment
from storage import feed
from storage.errors import NotFound, Unavailable
from storage.versions import Listener

# Changes that come together are told together.
GATHERED_SECONDS = 0.2
RETRY_SECONDS = 1.0
# Of so many deployments at once the changes are told one by one; of more only that there were some.
TOLD_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class DeploymentChange:
    """A deployment as it now is; without one, everything should be asked for anew."""

    deployment: Deployment | None


async def turns(context: Context, slugs: Iterable[str] | None) -> AsyncIterator[None]:
    """Now, and after each change of the projects: all in scope, or those of these slugs."""
    assert context.services.changes is not None
    with context.services.changes.listening() as listener:
        yield None
        while True:
            await _heard(context, listener, slugs)
            yield None


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
    before: Deployment | None = None
    async for _turn in turns(context, None):
        found = await deployment(context, id, links)
        if found is None and before is None:
            raise NotFound("There is no such deployment.", path="deployment")
        if found != before:
            yield DeploymentChange(found)
        before = found


async def _changes(
    context: Context, slugs: list[str] | None, links: Links
) -> AsyncIterator[DeploymentChange]:
    assert context.services.changes is not None
    context.tells_states = False
    database = context.services.database
    with context.services.changes.listening() as listener:
        async with database.connection() as connection:
            place = await feed.here(connection)
        # From here on nothing is missed: whoever needs more asks now.
        yield DeploymentChange(None)
        while True:
            await _heard(context, listener, slugs)
            ids = await _ids(context, slugs)
            async with database.connection() as connection:
                changed, place = await feed.entities_since(
                    connection, place, ids, feed.EVERY_CHANGE
                )
            if len(changed) > TOLD_AT_MOST:
                yield DeploymentChange(None)
                continue
            for key in changed:
                found = await recorded_deployment(context, key, links)
                if found is not None:
                    yield DeploymentChange(found)


async def _heard(context: Context, listener: Listener, slugs: Iterable[str] | None) -> None:
    """Wait for a change that concerns the viewer; the database being away is waited out."""
    while True:
        changed = await listener.wait()
        await asyncio.sleep(GATHERED_SECONDS)
        try:
            await context.renew()
            ids = await _ids(context, slugs)
        except Unavailable:
            await asyncio.sleep(RETRY_SECONDS)
            listener.tell(None)
            continue
        if changed is None or ids is None or changed & set(ids):
            return


async def _ids(context: Context, slugs: Iterable[str] | None) -> list[int] | None:
    """The ids of those projects in scope, or of all; None where the scope is everything."""
    if slugs is None:
        ids = context.scope.project_ids
        return None if ids is None else list(ids)
    visible = [slug for slug in slugs if context.viewer.may_name(slug)]
    found = await context.services.dictionaries.project_ids(visible) if visible else {}
    return [id for id in found.values() if id in context.scope]
