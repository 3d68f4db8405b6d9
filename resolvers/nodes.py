"""Nodes by global id; a node out of scope looks like one that does not exist."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from resolvers.alerts import Alert, AlertEvent, alert_by_key, event_by_key
from resolvers.context import Context
from resolvers.entities import ENTITIES, EntityNode, Links
from resolvers.entity_fields import entity_by_key
from resolvers.error_occurrences import ErrorOccurrence, occurrence_by_key
from resolvers.errors import Error, error_by_key
from resolvers.identifiers import Identifier, decode, no_global_id
from resolvers.log_lines import LogLine, line_by_key
from resolvers.members import Member, member_by_key
from resolvers.names import NAMES, NameInProject, name_by_key
from resolvers.notification_channels import NotificationChannel, channel_by_key
from resolvers.pages import page_size
from resolvers.provisioned import Network, Project, Template, by_id
from resolvers.silences import Silence, silence_by_key

MAX_NODES = 100


Load = Callable[[Context, int, str, Links], Awaitable[Any | None]]


def _entity(kind: type[EntityNode]) -> Load:
    return lambda context, project_id, key, links: entity_by_key(
        context, kind, project_id, key, links
    )


def _name(kind: type[NameInProject]) -> Load:
    return lambda context, project_id, key, _links: name_by_key(context, kind, project_id, key)


def _by_key(load: Callable[[Context, int, str], Awaitable[Any | None]]) -> Load:
    return lambda context, project_id, key, _links: load(context, project_id, key)


# By the name of the type: nodes with a number alone, and those with a key in their project.
PROVISIONED = {kind.__name__: kind for kind in (Network, Project, Template)}
IN_PROJECT = {
    **{name: _entity(kind) for name, kind in ENTITIES.items()},
    **{kind.__name__: _name(kind) for kind in NAMES.values()},
    **{
        kind.__name__: _by_key(load)
        for kind, load in (
            (Alert, alert_by_key),
            (AlertEvent, event_by_key),
            (Error, error_by_key),
            (ErrorOccurrence, occurrence_by_key),
            (LogLine, line_by_key),
            (Member, member_by_key),
            (NotificationChannel, channel_by_key),
            (Silence, silence_by_key),
        )
    },
}


async def node(context: Context, id: str, links: Links) -> Any | None:
    """Returns the node, or None; raises InvalidInput for a text that is no global id."""
    return await _load(context, _identifier(id), links)


async def nodes(context: Context, ids: Sequence[str], links: Links) -> list[Any | None]:
    """Returns the nodes, or None for each that does not exist; one statement for each kind.

    Raises InvalidInput for a text that is no global id, before anything is loaded: the loads of
    the other ids would go on after the answer.
    """
    page_size(len(ids), "ids", MAX_NODES)
    identifiers = [_identifier(id) for id in ids]
    return list(await asyncio.gather(*(_load(context, each, links) for each in identifiers)))


def _identifier(id: str) -> Identifier:
    identifier = decode(id)
    if identifier.kind not in (IN_PROJECT if identifier.key else PROVISIONED):
        raise no_global_id(id)
    return identifier


async def _load(context: Context, identifier: Identifier, links: Links) -> Any | None:
    kind, number, key = identifier.kind, identifier.number, identifier.key
    if number is None:
        return None
    if key:
        return await IN_PROJECT[kind](context, number, key, links)
    return await by_id(context, PROVISIONED[kind], number)
