"""Deployments and their status events for many parents, one statement for each page length."""

from collections import defaultdict
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from access.scopes import Scope
from storage.database import Database
from storage.queries import status_events
from storage.queries.deployments import Key, latest_by_project


class LatestKey(NamedTuple):
    """A project and how many of its newest deployments are wanted."""

    project_id: int
    first: int


class EventsKey(NamedTuple):
    """All deployments of a list, with their creation times, and how many events each needs."""

    deployments: tuple[tuple[int, UUID, datetime], ...]
    first: int


async def latest_deployments(
    database: Database, scope: Scope, keys: list[LatestKey]
) -> list[list[Any]]:
    wanted: defaultdict[int, list[int]] = defaultdict(list)
    for key in keys:
        wanted[key.first].append(key.project_id)
    found = {
        first: await latest_by_project(database, scope, project_ids, first)
        for first, project_ids in wanted.items()
    }
    return [found[key.first][key.project_id] for key in keys]


async def latest_events(
    database: Database, scope: Scope, keys: list[EventsKey]
) -> list[dict[Key, list[Any]]]:
    wanted: defaultdict[int, set[tuple[int, UUID, datetime]]] = defaultdict(set)
    for key in keys:
        wanted[key.first].update(key.deployments)
    found = {
        first: await status_events.latest(database, scope, sorted(deployments), first)
        for first, deployments in wanted.items()
    }
    return [
        {(project, id): found[key.first][project, id] for project, id, _ in key.deployments}
        for key in keys
    ]
