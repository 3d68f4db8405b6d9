"""Nodes by global id; a node out of scope looks like one that does not exist."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from resolvers.context import Context
from resolvers.deployments import Links, deployment_by_key
from resolvers.environments import environment_by_key
from resolvers.identifiers import NodeKind, decode
from resolvers.networks import network_by_id
from resolvers.pages import page_size
from resolvers.projects import project_by_id
from resolvers.templates import template_by_id

MAX_NODES = 100


async def node(context: Context, id: str, links: Links) -> Any | None:
    identifier = decode(id)
    number, parts = identifier.number, identifier.parts
    if number is None:
        return None
    match identifier.kind:
        case NodeKind.DEPLOYMENT:
            return await deployment_by_key(context, number, parts[1], links)
        case NodeKind.ENVIRONMENT:
            return await environment_by_key(context, number, parts[1])
        case NodeKind.NETWORK:
            return await network_by_id(context, number)
        case NodeKind.PROJECT:
            return await project_by_id(context, number)
        case NodeKind.TEMPLATE:
            return await template_by_id(context, number)


async def nodes(context: Context, ids: Sequence[str], links: Links) -> list[Any | None]:
    """Returns the nodes, or None for each that does not exist; one statement for each kind."""
    page_size(len(ids), "ids", MAX_NODES)
    return list(await asyncio.gather(*(node(context, id, links) for id in ids)))
