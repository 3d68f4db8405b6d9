"""Deployments: one by id, pages by filter and order, and what they link to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from dataloaders.deployments import EventsKey, LatestKey
from resolvers.context import Context
from resolvers.cursors import CursorSigner
from resolvers.environments import Environment
from resolvers.identifiers import NodeKind, decode, encode
from resolvers.networks import Network
from resolvers.pages import Asked, Connection, PageArguments, connection, counted, page_size
from resolvers.projects import Project
from resolvers.searches import prepared
from resolvers.templates import Template
from storage.errors import InvalidInput
from storage.facts.deployments import Status
from storage.queries import deployments as queries
from storage.queries.conditions import Filter
from storage.queries.deployments import Order
from storage.queries.joins import Joins
from storage.queries.status_events import StatusEvent
from storage.queries.status_events import status_events as events_of

MAX_STATUS_EVENTS = 50
MAX_LATEST = 20


# By their codes: quicker than asking the enum, and every row asks.
STATUSES = tuple(Status)


class _Linked(NamedTuple):
    """A deployment's row, and those of its links that were asked for."""

    row: Any
    project: Project | None
    environment: Environment | None
    network: Network | None
    template: Template | None
    status_events: Sequence[StatusEvent]


class Deployment(_Linked):
    """A deployment; its row is converted field by field, as it is read."""

    __slots__ = ()

    @property
    def id(self) -> str:
        return encode(NodeKind.DEPLOYMENT, self.row["project_id"], self.row["deployment_id"])

    deployment_id = property(lambda self: self.row["deployment_id"])
    external_id = property(lambda self: self.row["external_id"])
    status = property(lambda self: STATUSES[self.row["status"]])
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
class Links:
    """What of a deployment's surroundings a query selects; events: the longest list asked for."""

    project: bool = False
    environment: bool = False
    network: bool = False
    template: bool = False
    status_events: int = 0


async def deployment(context: Context, id: str, links: Links) -> Deployment | None:
    """The deployment of a global id, or of the plain UUID."""
    if (uuid := _uuid(id)) is not None:
        row = await queries.by_id(context.services.database, context.scope, uuid)
        return (await _linked(context, [row], links))[0] if row is not None else None
    identifier = decode(id)
    if identifier.kind is not NodeKind.DEPLOYMENT:
        raise InvalidInput("This is not the id of a deployment.", path="id")
    return await deployment_by_key(context, identifier.number(0), identifier.parts[1:], links)


async def deployment_by_key(
    context: Context, project_id: int | None, rest: Sequence[str], links: Links
) -> Deployment | None:
    """The deployment whose key a global id holds; what is no key is of no deployment."""
    uuid = _uuid(rest[0]) if len(rest) == 1 else None
    if project_id is None or uuid is None:
        return None
    return await recorded_deployment(context, (project_id, uuid), links)


async def recorded_deployment(
    context: Context, key: queries.Key, links: Links
) -> Deployment | None:
    row = await context.loaders.deployment_by_key.load(key)
    return None if row is None else (await _linked(context, [row], links))[0]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) in (32, 36) else None
    except ValueError:
        return None


async def deployments(
    context: Context,
    filter: Filter,
    order: Order,
    page: PageArguments,
    links: Links,
    asked: Asked,
) -> Connection[Deployment]:
    """One page of the viewer's deployments."""
    signer = _signer(context, order)
    window = page.window(lambda cursor, name: _position(signer, order, cursor, name))
    database = context.services.database
    scope, filter = await prepared(context, filter, order)
    joins = Joins(links.project, links.template, links.status_events)
    found = await queries.find(database, scope, filter, order, window, joins)
    total = await counted(lambda limit: queries.count(database, scope, filter, order, limit), asked)
    nodes = await _joined(context, found.rows, links)
    return connection(found, nodes, lambda node: _place(order, node.row), signer, total)


def _signer(context: Context, order: Order) -> CursorSigner:
    ordering = f"deployments:{order.column}:{'desc' if order.descending else 'asc'}"
    return CursorSigner.of(context.services.cursor_key, context.scope, ordering)


def _place(order: Order, row: Any) -> tuple[Any, ...]:
    """What a cursor to this row says; times are written with all their microseconds."""
    value, project_id, deployment_id = order.position(row)
    return value, project_id, deployment_id.hex


def _position(signer: CursorSigner, order: Order, cursor: str, name: str) -> tuple[Any, ...]:
    value, project_id, deployment_id = signer.read(cursor, name)
    if order.column != "duration_us":
        value = datetime.fromisoformat(value)
    return value, project_id, UUID(deployment_id)


async def latest_deployments(
    context: Context, project: Project, first: int, links: Links
) -> list[Deployment]:
    """A project's newest deployments; those of many projects come in one statement."""
    page_size(first, most=MAX_LATEST)
    key = LatestKey(project.project_id, first)
    return await _linked(context, await context.loaders.latest_deployments.load(key), links)


async def _linked(context: Context, rows: Sequence[Any], links: Links) -> list[Deployment]:
    """Deployments of rows; each kind of link costs one statement, however many rows there are."""
    if not rows:
        return []
    loaders = context.loaders
    slugs = _named(rows, "template") | {_slug(row) for row in rows if row["template"]}
    rest: _Rest
    projects, templates, events, rest = await asyncio.gather(
        _loaded(loaders.project_by_id, {row["project_id"] for row in rows}, links.project),
        _loaded(loaders.template_by_slug, slugs, links.template),
        _event_links(context, rows, links.status_events),
        _rest(context, rows, links),
    )
    project_of = {key: Project.of(row) for key, row in projects.items()}
    template_of = {slug: Template.of(row) for slug, row in templates.items()}
    return rest.deployments(
        rows,
        lambda row: project_of.get(row["project_id"]),
        lambda row: template_of.get(row["template"] or "") or template_of.get(_slug(row)),
        events,
    )


async def _joined(context: Context, rows: Sequence[Any], links: Links) -> list[Deployment]:
    """Deployments of rows that bring their projects, templates and events with them."""
    if not rows:
        return []
    projects: dict[int, Project] = {}
    templates: dict[int | None, Template | None] = {None: None}
    for row in rows:
        if links.project and row["project_id"] not in projects:
            projects[row["project_id"]] = _joined_project(row)
        if links.template and row["template_template_id"] not in templates:
            templates[row["template_template_id"]] = _joined_template(row)
    rest = await _rest(context, rows, links)
    return rest.deployments(
        rows,
        (lambda row: projects[row["project_id"]]) if links.project else _nothing,
        (lambda row: templates[row["template_template_id"]]) if links.template else _nothing,
        [events_of(row["status_events"]) if links.status_events else () for row in rows],
    )


def _joined_project(row: Any) -> Project:
    return Project(
        row["project_id"], row["project_slug"], row["project_name"], row["project_created_at"]
    )


def _joined_template(row: Any) -> Template:
    return Template(
        template_id=row["template_template_id"],
        slug=row["template_slug"],
        name=row["template_name"],
        description=row["template_description"],
        category=row["template_category"],
        tags=tuple(row["template_tags"]),
        created_at=row["template_created_at"],
    )


def _nothing(_row: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class _Rest:
    """The links that are never joined."""

    environments: dict[tuple[int, str], Environment]
    networks: dict[str, Network]

    def deployments(
        self,
        rows: Sequence[Any],
        project_of: Callable[[Any], Project | None],
        template_of: Callable[[Any], Template | None],
        events: Sequence[Sequence[StatusEvent]],
    ) -> list[Deployment]:
        return [
            Deployment(
                row,
                project_of(row),
                self.environments.get((row["project_id"], row["environment"])),
                self.networks.get(row["network"]),
                template_of(row),
                history,
            )
            for row, history in zip(rows, events, strict=True)
        ]


async def _rest(context: Context, rows: Sequence[Any], links: Links) -> _Rest:
    if not (links.environment or links.network):
        return _Rest({}, {})
    loaders = context.loaders
    named = {(row["project_id"], row["environment"]) for row in rows if row["environment"]}
    environments, networks = await asyncio.gather(
        _loaded(loaders.environment_by_name, named, links.environment),
        _loaded(loaders.network_by_name, _named(rows, "network"), links.network),
    )
    return _Rest(
        {key: Environment.of(row) for key, row in environments.items()},
        {name: Network.of(row) for name, row in networks.items()},
    )


def _slug(row: Any) -> str:
    """A template's slug may be sent in another case than it is provisioned in."""
    return (row["template"] or "").lower()


def _named(rows: Sequence[Any], column: str) -> set[str]:
    return {row[column] for row in rows if row[column]}


async def _loaded(loader: Any, keys: set[Any], wanted: bool) -> dict[Any, Any]:
    """The rows of those keys that exist."""
    if not wanted or not keys:
        return {}
    ordered = list(keys)
    rows = await loader.load_many(ordered)
    return {key: row for key, row in zip(ordered, rows, strict=True) if row is not None}


async def _event_links(
    context: Context, rows: Sequence[Any], first: int
) -> Sequence[Sequence[StatusEvent]]:
    if first <= 0:
        return [()] * len(rows)
    keys = [(row["project_id"], row["deployment_id"], row["created_at"]) for row in rows]
    return await context.loaders.latest_events.load(EventsKey(keys, first))


def _milliseconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / 1000


def status_events(deployment: Deployment, first: int) -> Sequence[StatusEvent]:
    """The newest of the events that were loaded with the deployment."""
    return deployment.status_events[: page_size(first, most=MAX_STATUS_EVENTS)]
