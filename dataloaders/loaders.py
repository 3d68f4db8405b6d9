"""The loaders of one request: keys asked for together are answered together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from access.scopes import Scope
from analytics.answer import Answer
from analytics.run import Analytics
from analytics.slices import Slice
from dataloaders.deployments import EventsKey, LatestKey, latest_deployments, latest_events
from storage.database import Database
from storage.queries import environments, networks, projects, templates
from storage.queries.deployments import Key as DeploymentKey
from storage.queries.deployments import by_keys as deployments_by_keys
from storage.queries.status_events import StatusEvent

KeyType = TypeVar("KeyType", bound=Hashable)

# A row as the driver returns it.
Row = Any


class Loader(DataLoader[KeyType, Any]):
    """A loader that goes on for the others when one of those who wait for a key is cancelled.

    A field is cancelled when its sibling fails; the future it waits for is also somebody else's.
    """

    def load(self, key: KeyType) -> Awaitable[Any]:
        future = super().load(key)
        assert isinstance(future, asyncio.Future)
        return future if future.done() else asyncio.shield(future)


@dataclass(frozen=True, slots=True)
class Loaders:
    """Each is named by what it returns and by which key; a missing row is None."""

    answers: DataLoader[Slice, Answer]
    deployment_by_key: DataLoader[DeploymentKey, Row | None]
    latest_deployments: DataLoader[LatestKey, list[Row]]
    latest_events: DataLoader[EventsKey, list[list[StatusEvent]]]
    project_by_id: DataLoader[int, Row | None]
    project_by_slug: DataLoader[str, Row | None]
    environment_by_name: DataLoader[tuple[int, str], Row | None]
    environments_of_project: DataLoader[int, list[Row]]
    network_by_id: DataLoader[int, Row | None]
    network_by_name: DataLoader[str, Row | None]
    template_by_id: DataLoader[int, Row | None]
    template_by_slug: DataLoader[str, Row | None]
    # What was answered so far: its ages go into the response's headers.
    answered: list[Answer]

    @classmethod
    def create(cls, database: Database, analytics: Analytics, scope: Scope) -> Loaders:
        def rows(read: Callable[..., Awaitable[Mapping[Any, Any]]]) -> DataLoader[Any, Any]:
            return Loader(partial(_in_order, partial(read, database, scope)))

        def platform(read: Callable[..., Awaitable[Mapping[Any, Any]]]) -> DataLoader[Any, Any]:
            return Loader(partial(_in_order, partial(read, database)))

        answered: list[Answer] = []
        return cls(
            answers=Loader(partial(_answers, analytics, answered)),
            answered=answered,
            deployment_by_key=rows(deployments_by_keys),
            latest_deployments=Loader(partial(latest_deployments, database, scope)),
            latest_events=Loader(partial(latest_events, database, scope)),
            project_by_id=rows(projects.by_ids),
            project_by_slug=rows(projects.by_slugs),
            environment_by_name=rows(environments.by_names),
            environments_of_project=rows(environments.of_projects),
            network_by_id=platform(networks.by_ids),
            network_by_name=platform(networks.by_names),
            template_by_id=platform(templates.by_ids),
            template_by_slug=platform(templates.by_slugs),
        )


async def _answers(
    analytics: Analytics, answered: list[Answer], questions: list[Slice]
) -> Sequence[Answer | BaseException]:
    found = await analytics.run_each(questions)
    answered.extend(answer for answer in found if isinstance(answer, Answer))
    return found


async def _in_order(
    read: Callable[[Sequence[KeyType]], Awaitable[Mapping[KeyType, Row]]], keys: list[KeyType]
) -> list[Row | None]:
    found = await read(keys)
    return [found.get(key) for key in keys]
