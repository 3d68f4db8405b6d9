"""Fields of entities: one by id, the newest of a project, and the parts of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from resolvers.context import Context
from resolvers.entities import (
    Build,
    Certificate,
    Deployment,
    EntityNode,
    Kind,
    Links,
    entities_by_keys,
    newest_entities,
)
from resolvers.events import BuildPhase
from resolvers.identifiers import decode
from resolvers.pages import page_size
from resolvers.provisioned import Project
from storage.errors import InvalidInput
from storage.facts.build_phases import BUILD_PHASES
from storage.facts.builds import BUILDS
from storage.queries import keyed
from storage.queries.keyed import Newest
from storage.queries.status_events import StatusEvent
from storage.queries.times import parse_time

_DAY = timedelta(days=1)

MAX_STATUS_EVENTS = 50
MAX_LATEST = 20
BUILDS_AT_MOST = 20
PHASES_AT_MOST = 50


async def entity(context: Context, kind: type[Kind], id: str, links: Links) -> Kind | None:
    """Returns the entity of a global id or a plain UUID."""
    if (uuid := uuid_of(id)) is not None:
        rows = await keyed.by_id(
            context.services.database, context.scope, kind.fact, uuid, links.reading
        )
        return next(iter(await kind.made(context, rows, links)), None)
    identifier = decode(id)
    if identifier.kind != kind.fact.stem:
        message = f"This is the id of {identifier.kind}, not of {kind.fact.stem}."
        raise InvalidInput(message, path="id")
    if identifier.number is None:
        return None
    return await entity_by_key(context, kind, identifier.number, identifier.key, links)


async def entity_by_key(
    context: Context, kind: type[Kind], project_id: int, id: str, links: Links
) -> Kind | None:
    """Returns the entity of a global id's key; None for an invalid key."""
    if (uuid := uuid_of(id)) is None:
        return None
    return next(iter(await entities_by_keys(context, kind, [(project_id, uuid)], links)), None)


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) in (32, 36) else None
    except ValueError:
        return None


async def latest_entities(
    context: Context, kind: type[Kind], project: Project, first: int, links: Links
) -> list[Kind]:
    """Returns a project's newest entities; one statement serves many projects."""
    page_size(first, most=MAX_LATEST)
    wanted = Newest(kind.fact, ("project_id",), first, links.reading)
    return await newest_entities(context, kind, wanted, [(project.project_id,)], links)


def status_events(entity: EntityNode, first: int) -> Sequence[StatusEvent]:
    """Returns the newest of the events that were loaded with the entity."""
    if not 0 <= first <= MAX_STATUS_EVENTS:  # checked here first: every row of a list calls this
        page_size(first, most=MAX_STATUS_EVENTS)
    events = entity.status_events
    return events if len(events) <= first else events[:first]


def days_to_expiry(context: Context, certificate: Certificate) -> float | None:
    """Returns the days from the request until the certificate expires; None if it is unknown."""
    not_after = certificate.row["not_after"]
    return None if not_after is None else (parse_time(not_after) - context.now) / _DAY


async def builds_of_deployment(
    context: Context, deployment: Deployment, links: Links
) -> list[Build]:
    """Returns the newest builds that name the deployment, by its id as sent or its UUID."""
    row = deployment.row
    names = {row["external_id"] or "", str(row["deployment_id"])}
    keys = [(row["project_id"], name) for name in names if name]
    wanted = Newest(BUILDS, ("project_id", "deployment"), BUILDS_AT_MOST, links.reading)
    found = await newest_entities(context, Build, wanted, keys, links)
    return sorted(found, key=_creation, reverse=True)[:BUILDS_AT_MOST]


def _creation(build: Build) -> datetime:
    return parse_time(build.row["created_at"])


async def phases_of_build(context: Context, build: Build) -> list[BuildPhase]:
    """Returns the newest phases, in the order in which they ended."""
    wanted = Newest(BUILD_PHASES, ("project_id", "build_id"), PHASES_AT_MOST)
    key = build.row["project_id"], build.row["build_id"]
    rows = await context.loaders.newest(wanted).load(key) or []
    return [BuildPhase(row, None) for row in reversed(rows)]
