"""Nodes by global id; a node out of scope looks like one that does not exist."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from resolvers.context import Context
from resolvers.entities import Build, Deployment, EntityNode, Links
from resolvers.entity_fields import entity_by_key
from resolvers.error_occurrences import occurrence_by_key
from resolvers.errors import error_by_key
from resolvers.identifiers import decode, no_global_id
from resolvers.members import member_by_key
from resolvers.names import NAMES, NameInProject, name_by_key
from resolvers.pages import page_size
from resolvers.provisioned import Network, Project, ProvisionedNode, Template, by_id

MAX_NODES = 100


@dataclass(frozen=True, slots=True)
class NodeKind:
    """How a node is loaded by the number of its id; one `in_project` also by its key there."""

    load: Callable[[Context, int, str, Links], Awaitable[Any | None]]
    in_project: bool = False


def _provisioned(kind: type[ProvisionedNode]) -> NodeKind:
    return NodeKind(lambda context, number, _key, _links: by_id(context, kind, number))


def _entity(kind: type[EntityNode]) -> NodeKind:
    return NodeKind(
        lambda context, project_id, key, links: entity_by_key(
            context, kind, project_id, key, links
        ),
        in_project=True,
    )


def _name(kind: type[NameInProject]) -> NodeKind:
    return NodeKind(
        lambda context, project_id, key, _links: name_by_key(context, kind, project_id, key),
        in_project=True,
    )


# By the name of the type.
KINDS = {
    "Build": _entity(Build),
    "Deployment": _entity(Deployment),
    "Error": NodeKind(
        lambda context, project_id, key, _links: error_by_key(context, project_id, key),
        in_project=True,
    ),
    "ErrorOccurrence": NodeKind(
        lambda context, project_id, key, _links: occurrence_by_key(context, project_id, key),
        in_project=True,
    ),
    "Member": NodeKind(
        lambda context, project_id, key, _links: member_by_key(context, project_id, key),
        in_project=True,
    ),
    "Network": _provisioned(Network),
    "Project": _provisioned(Project),
    "Template": _provisioned(Template),
    **{kind.__name__: _name(kind) for kind in NAMES.values()},
}


async def node(context: Context, id: str, links: Links) -> Any | None:
    """Returns the node, or None; raises InvalidInput for a text that is no global id."""
    identifier = decode(id)
    kind = KINDS.get(identifier.kind)
    if kind is None or kind.in_project is not bool(identifier.key):
        raise no_global_id(id)
    if identifier.number is None:
        return None
    return await kind.load(context, identifier.number, identifier.key, links)


async def nodes(context: Context, ids: Sequence[str], links: Links) -> list[Any | None]:
    """Returns the nodes, or None for each that does not exist; one statement for each kind."""
    page_size(len(ids), "ids", MAX_NODES)
    return list(await asyncio.gather(*(node(context, id, links) for id in ids)))
