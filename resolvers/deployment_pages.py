"""Pages of deployments by filter and order; most links are joined to the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from resolvers.context import Context
from resolvers.deployments import NO_EVENTS, NOTHING, Deployment, Links, unjoined
from resolvers.pages import Connection, Listing, PageArguments
from resolvers.projects import Project
from resolvers.searches import prepared
from resolvers.templates import Template, TemplateName
from storage.queries import deployments as queries
from storage.queries.conditions import Filter
from storage.queries.deployments import Order
from storage.queries.status_events import status_events
from storage.queries.times import parse_time


async def deployments(
    context: Context,
    filter: Filter,
    order: Order,
    page: PageArguments,
    links: Links,
) -> Connection[Deployment]:
    """Returns a page of the viewer's deployments."""
    database = context.services.database
    scope, filter = await prepared(context, filter, order)
    listing = Listing(
        f"deployments:{order.column}:{'desc' if order.descending else 'asc'}",
        lambda request: queries.find(database, scope, filter, order, request, links.reading),
        lambda limit: queries.count(database, scope, filter, order, limit),
        lambda rows: _joined(context, rows, links),
        lambda node: _values(order, node.row),
        partial(_position, order),
    )
    return await listing.page(context, context.scope, page)


def _values(order: Order, row: Any) -> tuple[Any, ...]:
    """A row's values for its cursor; times keep their microseconds."""
    value, project_id, deployment_id = order.position(row)
    return value, project_id, deployment_id.hex


def _position(order: Order, values: list[Any]) -> tuple[Any, ...]:
    value, project_id, deployment_id = values
    if order.column != "duration_us":
        value = datetime.fromisoformat(value)
    return value, project_id, UUID(deployment_id)


async def _joined(context: Context, rows: Sequence[Any], links: Links) -> list[Deployment]:
    """Makes deployments of rows with joined projects, templates and events."""
    projects = _each(rows, "project_id", _joined_project) if links.project else NOTHING
    template = _joined_template if links.template_details else _joined_template_name
    templates = _each(rows, "template_template_id", template) if links.template else NOTHING
    events = (
        [status_events(row["status_events"]) for row in rows] if links.status_events else NO_EVENTS
    )
    rest = await unjoined(context, rows, links)
    return list(map(Deployment, rows, projects, *rest, templates, events))


def _each(rows: Sequence[Any], key: str, make: Callable[[Any], Any]) -> list[Any]:
    """Returns each row's linked thing, made once for each key."""
    made: dict[Any, Any] = {None: None}
    for row in rows:
        if row[key] not in made:
            made[row[key]] = make(row)
    return [made[row[key]] for row in rows]


def _joined_project(row: Any) -> Project:
    return Project(
        row["project_id"],
        row["project_slug"],
        row["project_name"],
        parse_time(row["project_created_at"]),
    )


def _joined_template_name(row: Any) -> TemplateName:
    return TemplateName(row["template_template_id"], row["template_slug"], row["template_name"])


def _joined_template(row: Any) -> Template:
    template = Template._make(row[f"template_{name}"] for name in Template._fields)
    return template._replace(created_at=parse_time(row["template_created_at"]))
