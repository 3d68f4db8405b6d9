"""Entities: one by id, several by key, the newest of a project, and their links."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import repeat
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from ingest.identity import entity_uuid
from resolvers.context import Context
from resolvers.fact_rows import joined_project, with_columns
from resolvers.identifiers import encode_entity
from resolvers.names import Environment
from resolvers.provisioned import Network, Project, Template, TemplateName
from storage.dimensions import ENVIRONMENT, NETWORK, PROJECT, TEMPLATE
from storage.facts.builds import BUILDS
from storage.facts.certificates import CERTIFICATES
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Entity
from storage.queries.joins import Reading
from storage.queries.keyed import Key, Newest
from storage.queries.status_events import StatusEvent
from storage.queries.status_events import status_events as stored_events
from storage.queries.times import parse_time

# The linked things of a page's rows, one for each row.
Linked = Iterable[Any]
# Links that the query does not select.
NOTHING: Linked = repeat(None)
NO_EVENTS: Linked = repeat(())

# Dimensions whose names lead to a node of their own, so that the field for the name tells so.
_LINKED = (ENVIRONMENT, NETWORK, TEMPLATE)


class _Fields(NamedTuple):
    """An entity's row, and the links that the query selects."""

    row: Any
    project: Project | None
    environment: Environment | None
    network: Network | None
    template: Template | TemplateName | None
    named_deployment: Any  # the deployment that the row names
    status_events: Sequence[StatusEvent]


class EntityNode(_Fields):
    """An entity; its row is converted field by field, when a field is read.

    Each kind declares its fact, and the column in which it names a deployment, if it has one. The
    columns of the fact become properties.
    """

    __slots__ = ()
    fact: ClassVar[Entity]
    names_deployment: ClassVar[str | None] = None

    _kind: ClassVar[str]
    _id_column: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls._kind, cls._id_column = cls.fact.stem, cls.fact.id_column
        with_columns(cls, cls.fact, _NAMES)

    @property
    def id(self) -> str:
        return encode_entity(self._kind, self.row["project_id"], self.row[self._id_column])

    @classmethod
    async def made(cls, context: Context, rows: Sequence[Any], links: Links) -> list[Self]:
        """Makes the entities of rows, to which projects, templates and events are joined."""
        projects = _each(rows, "project_id", joined_project) if links.project else NOTHING
        template = _joined_template if links.template_details else _joined_template_name
        # A query of nodes may select the template of another kind.
        has_template = links.template and TEMPLATE in cls.fact.dimensions
        templates = _each(rows, "template_template_id", template) if has_template else NOTHING
        events = (
            [stored_events(cls.fact, row["status_events"]) for row in rows]
            if links.status_events
            else NO_EVENTS
        )
        environments, networks, deployments = await _unjoined(context, cls, rows, links)
        return list(
            map(cls, rows, projects, environments, networks, templates, deployments, events)
        )


_NAMES = {each.name: f"{each}_{each.label}" for each in _LINKED}


class Deployment(EntityNode):
    """A deployment of a project to an environment."""

    __slots__ = ()
    fact = DEPLOYMENTS
    names_deployment = "to_deployment"

    rolled_back_to = property(lambda self: self.named_deployment)
    rolled_back_to_id = property(lambda self: self.row["to_deployment"])


class Build(EntityNode):
    """A build of a project, which may be for a deployment."""

    __slots__ = ()
    fact = BUILDS
    names_deployment = "deployment"

    deployment = property(lambda self: self.named_deployment)
    deployment_external_id = property(lambda self: self.row["deployment"])


class Certificate(EntityNode):
    """A certificate of a domain."""

    __slots__ = ()
    fact = CERTIFICATES


# The kinds by the names of their types.
ENTITIES: dict[str, type[EntityNode]] = {
    kind.__name__: kind for kind in (Deployment, Build, Certificate)
}

Kind = TypeVar("Kind", bound=EntityNode)


@dataclass(frozen=True, slots=True)
class Links(Reading):
    """The columns and links of an entity that a query selects."""

    environment: bool = False
    network: bool = False
    deployment: Links | None = None  # the deployment that it names, with these links

    @property
    def reading(self) -> Reading:
        """The part that the statement of the entities reads."""
        return Reading(*(getattr(self, field.name) for field in fields(Reading)))


async def entities_by_keys(
    context: Context, kind: type[Kind], keys: Sequence[Key], links: Links
) -> list[Kind]:
    """Returns the entities that exist, read by one statement."""
    wanted = Newest(kind.fact, kind.fact.key, 1, links.reading)
    return await newest_entities(context, kind, wanted, keys, links)


async def newest_entities(
    context: Context, kind: type[Kind], wanted: Newest, keys: Sequence[Key], links: Links
) -> list[Kind]:
    """Returns the newest entities of each key, read by one statement."""
    found = await context.loaders.newest(wanted).load_many(keys)
    return await kind.made(context, [row for rows in found for row in rows or ()], links)


async def _unjoined(
    context: Context, kind: type[EntityNode], rows: Sequence[Any], links: Links
) -> tuple[Linked, Linked, Linked]:
    """Loads the environments, networks and named deployments of rows, which no query joins."""
    # A fragment may select the networks or the deployment of another kind.
    networks = links.network and NETWORK in kind.fact.dimensions
    named, deployment = kind.names_deployment, links.deployment
    if not (links.environment or networks or (named and deployment)):  # saves three tasks
        return NOTHING, NOTHING, NOTHING
    return await asyncio.gather(
        _environments(context, rows) if links.environment else _unselected(NOTHING),
        _networks(context, rows) if networks else _unselected(NOTHING),
        _named_deployments(context, rows, named, deployment)
        if named and deployment
        else _unselected(NOTHING),
    )


async def _unselected(nothing: Linked) -> Linked:
    return nothing


async def _environments(context: Context, rows: Sequence[Any]) -> Linked:
    keys = [row["environment"] and (row["project_id"], row["environment"]) for row in rows]
    loader = context.loaders.name_in_project(ENVIRONMENT)
    return await _loaded(loader, keys, Environment.of)


async def _networks(context: Context, rows: Sequence[Any]) -> Linked:
    names = [row["network"] and row["network"].lower() for row in rows]
    return await _loaded(context.loaders.provisioned(NETWORK, NETWORK.label), names, Network.of)


async def _named_deployments(
    context: Context, rows: Sequence[Any], column: str, links: Links
) -> Linked:
    """Finds the deployments of the same projects by the ids that rows have in a column."""
    project_ids = {row["project_id"] for row in rows if row[column]}
    slugs = await context.services.dictionaries.names(PROJECT, project_ids)
    keys = [
        (row["project_id"], entity_uuid(slugs[row["project_id"]], row[column]))
        if row[column]
        else None
        for row in rows
    ]
    wanted = list({key for key in keys if key})
    found = await entities_by_keys(context, Deployment, wanted, links)
    by_key = {(each.row["project_id"], each.row["deployment_id"]): each for each in found}
    return [by_key.get(key) if key else None for key in keys]


async def _loaded(loader: Any, keys: Sequence[Any], make: Callable[[Any], Any]) -> list[Any]:
    """Returns `make(row)` for each key; None for an empty key or one without a row."""
    wanted = list({key for key in keys if key})
    found = await loader.load_many(wanted) if wanted else []
    made = {key: make(row) for key, row in zip(wanted, found, strict=True) if row is not None}
    return [made.get(key) for key in keys]


def _each(rows: Sequence[Any], key: str, make: Callable[[Any], Any]) -> list[Any]:
    """Returns each row's linked thing, made once for each key."""
    made: dict[Any, Any] = {None: None}
    for row in rows:
        if row[key] not in made:
            made[row[key]] = make(row)
    return [made[row[key]] for row in rows]


def _joined_template_name(row: Any) -> TemplateName:
    return TemplateName(row["template_template_id"], row["template_slug"], row["template_name"])


def _joined_template(row: Any) -> Template:
    given = {name: row[f"template_{name}"] for name in Template.columns()}
    return Template(**given | {"created_at": parse_time(given["created_at"])})
