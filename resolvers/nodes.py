"""Nodes by global id; a node out of scope looks like one that does not exist."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from resolvers.context import Context
from resolvers.deployments import Links, deployment_by_key
from resolvers.environments import environment_by_key
from resolvers.identifiers import Identifier, NodeKind, decode
from resolvers.networks import network_by_id
from resolvers.pages import page_size
from resolvers.projects import project_by_id
from resolvers.templates import template_by_id

MAX_NODES = 100


async def node(context: Context, id: str, links: Links) -> Any | None:
    identifier = decode(id)
    return await READERS[identifier.kind](context, identifier, links)


async def nodes(context: Context, ids: Sequence[str], links: Links) -> list[Any | None]:
    """Returns the nodes, or None for each that does not exist; one statement for each kind."""
    page_size(len(ids), "ids", MAX_NODES)
    return list(await asyncio.gather(*(node(context, id, links) for id in ids)))


Reader = Callable[[Context, Identifier, Links], Awaitable[Any | None]]

READERS: dict[NodeKind, Reader] = {
    NodeKind.DEPLOYMENT: lambda context, id, links: deployment_by_key(
        context, id.number(0), id.parts[1:], links
    ),
    NodeKind.ENVIRONMENT: lambda context, id, _: environment_by_key(
        context, id.number(0), id.parts[1]
    ),
    NodeKind.NETWORK: lambda context, id, _: network_by_id(context, id.number()),
    NodeKind.PROJECT: lambda context, id, _: project_by_id(context, id.number()),
    NodeKind.TEMPLATE: lambda context, id, _: template_by_id(context, id.number()),
}
