"""Deployments: one by id, several by key, the newest of a project, and their links."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import repeat
from typing import Any, NamedTuple
from uuid import UUID

from dataloaders.deployments import EventsKey, LatestKey
from resolvers.context import Context
from resolvers.environments import Environment
from resolvers.identifiers import NodeKind, decode, encode_deployment
from resolvers.networks import Network
from resolvers.pages import page_size
from resolvers.projects import Project
from resolvers.templates import Template, TemplateName
from storage.errors import InvalidInput
from storage.queries import deployments as queries
from storage.queries.joins import Reading
from storage.queries.status_events import StatusEvent, key_of

MAX_STATUS_EVENTS = 50
MAX_LATEST = 20

# The linked things of a page's rows, one for each row.
Linked = Iterable[Any]
# Links that the query does not select.
NOTHING: Linked = repeat(None)
NO_EVENTS: Linked = repeat(())


class _Fields(NamedTuple):
    """A deployment's row, and the links that the query selects."""

    row: Any
    project: Project | None
    environment: Environment | None
    network: Network | None
    template: Template | TemplateName | None
    status_events: Sequence[StatusEvent]


class Deployment(_Fields):
    """A deployment; its row is converted field by field, when a field is read."""

    __slots__ = ()

    @property
    def id(self) -> str:
        return encode_deployment(self.row["project_id"], self.row["deployment_id"])

    deployment_id = property(lambda self: self.row["deployment_id"])
    external_id = property(lambda self: self.row["external_id"])
    status = property(lambda self: self.row["status"])  # a code, equal to the enum's value
    created_at = property(lambda self: self.row["created_at"])
    started_at = property(lambda self: self.row["started_at"])
    finished_at = property(lambda self: self.row["finished_at"])
    duration_ms = property(lambda self: _milliseconds(self.row["duration_us"]))
    rolled_back_at = property(lambda self: self.row["rolled_back_at"])
    environment_name = property(lambda self: self.row["environment"])
    network_name = property(lambda self: self.row["network"])
    template_slug = property(lambda self: self.row["template"])
    framework = property(lambda self: self.row["framework"])
    actor = property(lambda self: self.row["actor"])
    to_deployment = property(lambda self: self.row["to_deployment"])
    error = property(lambda self: self.row["error"])
    attributes = property(lambda self: self.row["attributes"])


@dataclass(frozen=True, slots=True)
class Links(Reading):
    """The columns and links of a deployment that a query selects."""

    environment: bool = False
    network: bool = False

    @property
    def reading(self) -> Reading:
        """The part that a list's own statement reads."""
        return Reading(*(getattr(self, field.name) for field in fields(Reading)))


async def deployment(context: Context, id: str, links: Links) -> Deployment | None:
    """Returns the deployment of a global id or a plain UUID."""
    if (uuid := _uuid(id)) is not None:
        row = await queries.by_id(context.services.database, context.scope, uuid)
        return (await _linked(context, [row], links))[0] if row is not None else None
    identifier = decode(id)
    if identifier.kind is not NodeKind.DEPLOYMENT:
        raise InvalidInput(
            f"This is the id of a {identifier.kind}, not of a deployment.", path="id"
        )
    if identifier.number is None:
        return None
    return await deployment_by_key(context, identifier.number, identifier.parts[1], links)


async def deployment_by_key(
    context: Context, project_id: int, deployment_id: str, links: Links
) -> Deployment | None:
    """Returns the deployment of a global id's key; None for an invalid key."""
    if (uuid := _uuid(deployment_id)) is None:
        return None
    return next(iter(await deployments_by_keys(context, [(project_id, uuid)], links)), None)


async def deployments_by_keys(
    context: Context, keys: Sequence[queries.Key], links: Links
) -> list[Deployment]:
    """Returns the deployments that exist, read by one statement."""
    rows = await context.loaders.deployment_by_key.load_many(keys)
    return await _linked(context, [row for row in rows if row is not None], links)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) in (32, 36) else None
    except ValueError:
        return None


async def latest_deployments(
    context: Context, project: Project, first: int, links: Links
) -> list[Deployment]:
    """Returns a project's newest deployments; one statement serves many projects."""
    page_size(first, most=MAX_LATEST)
    key = LatestKey(project.project_id, first)
    return await _linked(context, await context.loaders.latest_deployments.load(key), links)


async def _linked(context: Context, rows: Sequence[Any], links: Links) -> list[Deployment]:
    """Makes deployments of rows; each kind of link costs one statement for all rows."""
    if not rows:
        return []
    project_ids = [row["project_id"] for row in rows]
    projects, templates, events, rest = await asyncio.gather(
        _loaded(context.loaders.project_by_id, project_ids, Project.of)
        if links.project
        else _unselected(NOTHING),
        _templates(context, rows) if links.template else _unselected(NOTHING),
        _events(context, rows, links.status_events)
        if links.status_events
        else _unselected(NO_EVENTS),
        unjoined(context, rows, links),
    )
    return list(map(Deployment, rows, projects, *rest, templates, events))


async def unjoined(context: Context, rows: Sequence[Any], links: Links) -> tuple[Linked, Linked]:
    """Loads the environments and networks of rows, which no query joins."""
    if not (links.environment or links.network):  # saves two tasks
        return NOTHING, NOTHING
    return await asyncio.gather(
        _environments(context, rows) if links.environment else _unselected(NOTHING),
        _networks(context, rows) if links.network else _unselected(NOTHING),
    )


async def _unselected(nothing: Linked) -> Linked:
    return nothing


async def _environments(context: Context, rows: Sequence[Any]) -> Linked:
    keys = [row["environment"] and (row["project_id"], row["environment"]) for row in rows]
    return await _loaded(context.loaders.environment_by_name, keys, Environment.of)


async def _networks(context: Context, rows: Sequence[Any]) -> Linked:
    names = [row["network"] for row in rows]
    return await _loaded(context.loaders.network_by_name, names, Network.of)


async def _templates(context: Context, rows: Sequence[Any]) -> Linked:
    """Finds templates by slug, also if events have it in another case."""
    loader = context.loaders.template_by_slug
    slugs = [row["template"] for row in rows]
    exact, lowered = await asyncio.gather(
        _loaded(loader, slugs, Template.of),
        _loaded(loader, [slug and slug.lower() for slug in slugs], Template.of),
    )
    return [one or other for one, other in zip(exact, lowered, strict=True)]


async def _loaded(loader: Any, keys: Sequence[Any], make: Callable[[Any], Any]) -> list[Any]:
    """Returns `make(row)` for each key; None for an empty key or one without a row."""
    wanted = list({key for key in keys if key})
    found = await loader.load_many(wanted) if wanted else []
    made = {key: make(row) for key, row in zip(wanted, found, strict=True) if row is not None}
    return [made.get(key) for key in keys]


async def _events(context: Context, rows: Sequence[Any], first: int) -> Linked:
    key = EventsKey([key_of(row) for row in rows], first)
    return await context.loaders.latest_events.load(key)


def _milliseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000


def status_events(deployment: Deployment, first: int) -> Sequence[StatusEvent]:
    """Returns the newest of the events that were loaded with the deployment."""
    if not 0 <= first <= MAX_STATUS_EVENTS:  # checked here first: every row of a list calls this
        page_size(first, most=MAX_STATUS_EVENTS)
    events = deployment.status_events
    return events if len(events) <= first else events[:first]
