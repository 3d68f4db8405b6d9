"""The loaders of one request: keys asked for together are answered together."""

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
from storage.queries.deployments import Key as DeploymentKey
from storage.queries.deployments import by_keys as deployments_by_keys
from storage.queries.status_events import StatusEvent

KeyType = TypeVar("KeyType", bound=Hashable)

# A row as the driver returns it.
Row = Any
Read = Callable[..., Awaitable[Mapping[Any, Any]]]


class Loader(DataLoader[KeyType, Any]):
    """A loader that goes on for the others when one of those who wait for a key is cancelled.

    A field is cancelled when its sibling fails; the future it waits for is also somebody else's.
    """

    def load(self, key: KeyType) -> Awaitable[Any]:
        future = super().load(key)
        assert isinstance(future, asyncio.Future)
        if future.done():
            return future
        future.add_done_callback(_notice)  # a shield that was cancelled does not look any more
        return asyncio.shield(future)

    def expect(self, key: KeyType) -> None:
        """Load it with the others; whoever asks for it later is told if that fails."""
        future = super().load(key)
        assert isinstance(future, asyncio.Future)
        future.add_done_callback(_notice)


def _notice(done: asyncio.Future[Any]) -> None:
    """Somebody has looked, so that asyncio need not complain of a failure nobody asked for."""
    if not done.cancelled():
        done.exception()


class Loaders:
    """Each is named by what it returns and by which key; a missing row is None.

    A request needs few of them, so each is made when it is asked for.
    """

    def __init__(
        self, database: Database, analytics: Analytics, scope: Scope, *, optimistic: bool = False
    ) -> None:
        self._database, self._analytics, self._scope = database, analytics, scope
        # All aggregates that these loaders load are of one state of the data.
        self.state = analytics.state(optimistic=optimistic)
        # What was answered so far: its ages go into the response's headers.
        self.answered: list[Answer] = []

    @cached_property
    def answers(self) -> Loader[Slice]:
        return Loader(partial(_answers, self._analytics, self.state, self.answered))

    def take_new_state(self) -> None:
        """The next answer's aggregates are of a state of their own; all else stays loaded."""
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

    @cached_property
    def deployment_by_key(self) -> DataLoader[DeploymentKey, Row | None]:
        return self._of_tenants(deployments_by_keys)

    @cached_property
    def project_by_id(self) -> DataLoader[int, Row | None]:
        return self._of_tenants(projects.by_ids)

    @cached_property
    def project_by_slug(self) -> DataLoader[str, Row | None]:
        return self._of_tenants(projects.by_slugs)

    @cached_property
    def environment_by_name(self) -> DataLoader[tuple[int, str], Row | None]:
        return self._of_tenants(environments.by_names)

    @cached_property
    def environments_of_project(self) -> DataLoader[int, list[Row]]:
        return self._of_tenants(environments.of_projects)

    @cached_property
    def network_by_id(self) -> DataLoader[int, Row | None]:
        return self._of_platform(networks.by_ids)

    @cached_property
    def network_by_name(self) -> DataLoader[str, Row | None]:
        return self._of_platform(networks.by_names)

    @cached_property
    def template_by_id(self) -> DataLoader[int, Row | None]:
        return self._of_platform(templates.by_ids)

    @cached_property
    def template_by_slug(self) -> DataLoader[str, Row | None]:
        return self._of_platform(templates.by_slugs)

    def _of_tenants(self, read: Read) -> DataLoader[Any, Any]:
        return Loader(partial(_in_order, partial(read, self._database, self._scope)))

    def _of_platform(self, read: Read) -> DataLoader[Any, Any]:
        return Loader(partial(_in_order, partial(read, self._database)))


async def _answers(
    analytics: Analytics, state: OneState, answered: list[Answer], questions: list[Slice]
) -> Sequence[Answer | BaseException]:
    found = await analytics.run_each(questions, state)
    answered.extend(answer for answer in found if isinstance(answer, Answer))
    return found


async def _in_order(
    read: Callable[[Sequence[KeyType]], Awaitable[Mapping[KeyType, Row]]], keys: list[KeyType]
) -> list[Row | None]:
    found = await read(keys)
    return [found.get(key) for key in keys]
