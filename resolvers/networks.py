"""Networks: where deployments go, the same list for every viewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from resolvers.context import Context
from resolvers.identifiers import NodeKind, encode
from storage.queries import networks as queries


@dataclass(frozen=True, slots=True)
class Network:
    """A network that deployments go to."""

    id: str
    network_id: int
    name: str
    title: str
    chain_id: str | None
    created_at: datetime

    @classmethod
    def of(cls, row: Any) -> Network:
        chain_id = row["chain_id"]
        return cls(
            id=encode(NodeKind.NETWORK, row["network_id"]),
            network_id=row["network_id"],
            name=row["name"],
            title=row["title"],
            # GraphQL's Int has 32 bits; chain ids have more.
            chain_id=None if chain_id is None else str(chain_id),
            created_at=row["created_at"],
        )


async def network(context: Context, name: str) -> Network | None:
    row = await context.loaders.network_by_name.load(name.lower())
    return None if row is None else Network.of(row)


async def network_by_id(context: Context, network_id: int | None) -> Network | None:
    row = None if network_id is None else await context.loaders.network_by_id.load(network_id)
    return None if row is None else Network.of(row)


async def networks(context: Context) -> list[Network]:
    return [Network.of(row) for row in await queries.every(context.services.database)]
