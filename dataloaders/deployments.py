"""Deployments and status events of many parents, one statement for each page length."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from access.scopes import Scope
from storage.connections.database import Database
from storage.queries import status_events
from storage.queries.deployments import latest_by_project
from storage.queries.status_events import StatusEvent


class LatestKey(NamedTuple):
    """A project, and the number of its newest deployments to load."""

    project_id: int
    first: int


@dataclass(frozen=True, slots=True, eq=False)
class EventsKey:
    """All deployments of a list, and the number of events to load for each."""

    deployments: Sequence[status_events.Key]
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
) -> list[list[list[StatusEvent]]]:
    """Returns, for each key, the events of each of its deployments."""
    found: dict[EventsKey, list[list[StatusEvent]]] = {}
    for first in {key.first for key in keys}:
        same_first = [key for key in keys if key.first == first]
        wanted = [deployment for key in same_first for deployment in key.deployments]
        events = iter(await status_events.latest(database, scope, wanted, first))
        for key in same_first:
            found[key] = list(islice(events, len(key.deployments)))
    return [found[key] for key in keys]
