"""The loaders of one request: keys requested together are loaded together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from access.scopes import Scope
from analytics.answer import Answer
from analytics.run import Analytics
from analytics.slices import Slice
from analytics.state import OneState
from dataloaders.deployments import EventsKey, LatestKey, latest_deployments, latest_events
from storage.connections.database import Database
from storage.queries import environments, networks, projects, templates
from storage.queries.deployments import by_keys as deployments_by_keys
from storage.queries.status_events import StatusEvent

KeyType = TypeVar("KeyType", bound=Hashable)

# A row as the driver returns it.
Row = Any
Read = Callable[..., Awaitable[Mapping[Any, Any]]]


class Loader(DataLoader[KeyType, Any]):
    """A loader whose keys are still loaded for other callers if one caller is cancelled.

    A field is cancelled when a sibling fails, but several fields may wait for one key.
    """

    def load(self, key: KeyType) -> Awaitable[Any]:
        future = super().load(key)
        assert isinstance(future, asyncio.Future)
        if future.done():
            return future
        future.add_done_callback(_retrieve_exception)  # a cancelled shield does not read it
        return asyncio.shield(future)

    def expect(self, key: KeyType) -> None:
        """Queues the key now; a later `load` raises its failure."""
        future = super().load(key)
        assert isinstance(future, asyncio.Future)
        future.add_done_callback(_retrieve_exception)


def _retrieve_exception(done: asyncio.Future[Any]) -> None:
    """Keeps asyncio from logging the failure of a key that no caller awaits any more."""
    if not done.cancelled():
        done.exception()


async def _in_order(
    read: Callable[[Sequence[KeyType]], Awaitable[Mapping[KeyType, Row]]], keys: list[KeyType]
) -> list[Row | None]:
    found = await read(keys)
    return [found.get(key) for key in keys]


class Loaders:
    """Loaders, named by what they return and by their key; a missing row is None.

    Each is made on first use, because a request needs few of them.
    """

    def __init__(
        self, database: Database, analytics: Analytics, scope: Scope, *, optimistic: bool = False
    ) -> None:
        self._database, self._analytics, self._scope = database, analytics, scope
        # All aggregates are read from one state of the data.
        self.state = analytics.state(optimistic=optimistic)
        # The answers so far, whose ages go into the response's headers.
        self.answered: list[Answer] = []

    @cached_property
    def answers(self) -> Loader[Slice]:
        return Loader(partial(_answers, self._analytics, self.state, self.answered))

    def take_new_state(self) -> None:
        """Starts a new state for the next aggregates; other rows stay loaded."""
        self.state.release()
        self.state = self._analytics.state()
        self.answered.clear()
        self.__dict__.pop("answers", None)

    @cached_property
    def latest_deployments(self) -> DataLoader[LatestKey, list[Row]]:
        return Loader(partial(latest_deployments, self._database, self._scope))

    @cached_property
    def latest_events(self) -> DataLoader[EventsKey, list[list[StatusEvent]]]:
        return Loader(partial(latest_events, self._database, self._scope))

    # The functions are looked up on use, so that tests can replace them.
    deployment_by_key = cached_property(lambda self: self._in_scope(deployments_by_keys))
    project_by_id = cached_property(lambda self: self._in_scope(projects.by_ids))
    project_by_slug = cached_property(lambda self: self._in_scope(projects.by_slugs))
    # By project id and name.
    environment_by_name = cached_property(lambda self: self._in_scope(environments.by_names))
    # A list of rows for each project.
    environments_of_project = cached_property(lambda self: self._in_scope(environments.of_projects))
    network_by_id = cached_property(lambda self: self._of_platform(networks.by_ids))
    network_by_name = cached_property(lambda self: self._of_platform(networks.by_names))
    template_by_id = cached_property(lambda self: self._of_platform(templates.by_ids))
    template_by_slug = cached_property(lambda self: self._of_platform(templates.by_slugs))

    def _in_scope(self, read: Read) -> DataLoader[Any, Any]:
        return Loader(partial(_in_order, partial(read, self._database, self._scope)))

    def _of_platform(self, read: Read) -> DataLoader[Any, Any]:
        return Loader(partial(_in_order, partial(read, self._database)))


async def _answers(
    analytics: Analytics, state: OneState, answered: list[Answer], questions: list[Slice]
) -> Sequence[Answer | BaseException]:
    found = await analytics.run_each(questions, state)
    answered.extend(answer for answer in found if isinstance(answer, Answer))
    return found
