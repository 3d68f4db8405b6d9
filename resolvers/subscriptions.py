"""Subscriptions: send the current state, and again after each relevant change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from resolvers.alerts import alert, alerts_by_keys
from resolvers.context import Context
from resolvers.entities import EntityNode, Links, entities_by_keys
from resolvers.entity_fields import entity
from resolvers.errors import error, errors_by_keys
from resolvers.population import unknown_name
from storage.alerts.changes import ALERTS
from storage.dimensions import PROJECT
from storage.errors import NotFound, Timeout, Unavailable
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.feed import feed
from storage.feed.feed import FeedPosition, Listener
from storage.queries.keyed import Key

RETRY_SECONDS = 1.0
# Changed entities are read and sent in pages of this size.
PAGE_SIZE = 500

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class EntityChange:
    """An entity's current state; None means that clients should reload everything."""

    entity: Any | None


@dataclass(frozen=True, slots=True)
class Watched:
    """Things whose changes the feed has by this topic: one by its id, several by their keys."""

    topic: str
    name: str
    one: Callable[[Context, str], Awaitable[Any | None]]
    several: Callable[[Context, Sequence[Key]], Awaitable[Sequence[Any]]]


def watched_entities(kind: type[EntityNode], links: Links) -> Watched:
    return Watched(
        kind.fact.name,
        kind.fact.name,
        lambda context, id: entity(context, kind, id, links),
        lambda context, keys: entities_by_keys(context, kind, keys, links),
    )


WATCHED_ALERTS = Watched(ALERTS, "alert", alert, alerts_by_keys)
WATCHED_ERRORS = Watched(ERROR_OCCURRENCES.name, "error", error, errors_by_keys)


async def states(
    context: Context,
    topic: str,
    slugs: Iterable[str] | None,
    load: Callable[[], Awaitable[State]],
) -> AsyncIterator[State]:
    """Yields the state now, and after each change of a topic in the named projects, or in all.

    After the first state it waits while the database is unavailable.
    """
    assert context.services.feed is not None
    async with context.services.feed.listening(topic) as listener:
        context.send_again = partial(listener.notify, None)
        yield await load()
        while True:
            await _wait_for_change(context, listener, slugs)
            yield await _patiently(context, load)


async def entity_changes(
    context: Context, watched: Watched, slug: str | None, id: str | None
) -> AsyncIterator[EntityChange]:
    """Changes of one entity, of a project's entities, or of all in scope."""
    slugs = None if slug is None else [slug]
    if slug is not None and not await _ids(context, [slug]):
        raise await unknown_name(context, PROJECT, slug, path="project")
    changes = _changes(context, watched, slugs) if id is None else _states(context, watched, id)
    async for change in changes:
        yield change


async def _states(context: Context, watched: Watched, id: str) -> AsyncIterator[EntityChange]:
    existed, name = False, watched.name
    async for found in states(context, watched.topic, None, lambda: watched.one(context, id)):
        if found is None and not existed:
            raise NotFound(f"There is no {name} with this id.", path=name)
        existed = True
        yield EntityChange(found)


async def _changes(
    context: Context, watched: Watched, slugs: list[str] | None
) -> AsyncIterator[EntityChange]:
    assert context.services.feed is not None
    context.sends_full_state = False
    database, topic = context.services.database, watched.topic

    async def since(position: FeedPosition) -> tuple[list[Key] | None, FeedPosition]:
        ids = await _ids(context, slugs)
        async with database.connection() as connection:
            return await feed.entities_since(connection, topic, position, ids)

    async with context.services.feed.listening(topic) as listener:
        ids = await _ids(context, slugs)
        async with database.connection() as connection:
            position = await feed.current_position(connection, topic, ids)
        # No change after this is missed: clients load the rest now.
        yield EntityChange(None)
        while True:
            await _wait_for_change(context, listener, slugs)
            changed, position = await _patiently(context, partial(since, position))
            if changed is None:
                yield EntityChange(None)
                continue
            for start in range(0, len(changed), PAGE_SIZE):
                page = changed[start : start + PAGE_SIZE]
                for found in await _patiently(context, partial(watched.several, context, page)):
                    yield EntityChange(found)


async def _patiently(context: Context, load: Callable[[], Awaitable[State]]) -> State:
    """Returns what is loaded anew; tries again while the database is unavailable."""
    while True:
        try:
            await context.renew()
            return await load()
        except (Unavailable, Timeout):
            await asyncio.sleep(RETRY_SECONDS)


async def _wait_for_change(
    context: Context, listener: Listener, slugs: Iterable[str] | None
) -> None:
    """Waits for a relevant change, and while the database is unavailable."""
    while True:
        changed = await listener.wait()
        ids = await _patiently(context, partial(_ids, context, slugs))
        if changed is None or ids is None or changed & set(ids):
            return


async def _ids(context: Context, slugs: Iterable[str] | None) -> list[int] | None:
    """Returns the ids of these projects, or of all in scope; None for an unlimited scope."""
    if slugs is None:
        ids = context.scope.project_ids
        return None if ids is None else list(ids)
    return list((await context.project_ids(slugs)).values())
