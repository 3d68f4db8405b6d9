"""What rules, events, channels and silences have in common: global ids, owners, labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from access.scopes import Scope
from resolvers.context import Context
from resolvers.entity_fields import uuid_of
from resolvers.identifiers import decode, encode_entity
from resolvers.pages import page_size
from resolvers.population import unknown_name
from resolvers.provisioned import Project, by_id
from storage.alerts.changes import PLATFORM
from storage.dimensions import PROJECT
from storage.errors import InvalidInput
from storage.queries import alerts as queries
from storage.queries.paging import TableList

# The most values of a filter's list.
MAX_VALUES = 100


def column(name: str) -> Any:
    """A property that is a column of the row."""
    return property(lambda self: self.row[name])


class AlertNode:
    """A row about alerts, with a global id; each kind says which column has its id."""

    key_column = ""

    def __init__(self, row: Any) -> None:
        self.row = row

    @property
    def id(self) -> str:
        number = PLATFORM if self.project_id is None else self.project_id
        return encode_entity(type(self).__name__, number, self.row[self.key_column])

    project_id = column("project_id")


@dataclass(frozen=True, slots=True)
class Named:
    """A value with its name: a label, or a component of a value."""

    name: str
    value: Any


def labels_of(given: Any) -> list[Named]:
    return [Named(name, given[name]) for name in sorted(given)]


async def scope_of(context: Context, slugs: Sequence[str] | None) -> Scope:
    """Returns the scope, narrowed to these projects; raises NotFound for another one."""
    if slugs is None:
        return context.scope
    page_size(len(slugs), "projects", MAX_VALUES)
    ids = await context.project_ids(slugs)
    unknown = next((slug for slug in slugs if slug not in ids), None)
    if unknown is not None:
        raise await unknown_name(context, PROJECT, unknown)
    return context.scope.narrow(ids.values())


async def node_of(
    context: Context, kind: type[Any], rows: TableList, project_id: int, key: str
) -> Any | None:
    """Returns the node of a global id's key in scope; None if there is none."""
    uuid = uuid_of(key)
    if uuid is None:
        return None
    column = kind.key_column
    row = await context.loaders.of(queries.rows_by_id, rows, column).load(uuid)
    if row is None or project_id != (row["project_id"] or PLATFORM):
        return None
    return kind(row)


async def owner_of(context: Context, thing: Any) -> Project | None:
    """Returns the project of a rule, an event, a silence or a channel; None for the platform."""
    return None if thing.project_id is None else await by_id(context, Project, thing.project_id)


def key_of(id: str, kind: str) -> UUID | None:
    """Returns the key of a global id of this kind; None for any other text."""
    try:
        identifier = decode(id)
    except InvalidInput:
        return None
    return uuid_of(identifier.key) if identifier.kind == kind else None


def channel_key(id: str) -> UUID | None:
    """Returns the key of the global id of a channel; None for any other text."""
    return key_of(id, "NotificationChannel")


def required_key(id: str, kind: str, path: str) -> UUID:
    """Returns the key of a global id of this kind; raises InvalidInput."""
    key = key_of(id, kind)
    if key is None:
        raise InvalidInput(f"{id[:100]!r} is not the id of {kind}.", path=path)
    return key
