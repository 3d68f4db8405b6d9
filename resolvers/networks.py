"""Networks, to which deployments go: the same list for every viewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from resolvers.context import Context
from resolvers.deferred_columns import DeferredColumn, deferred
from resolvers.identifiers import NodeKind, encode_number
from storage.dimensions import OTHER, Dictionary
from storage.queries import networks as queries


@dataclass(frozen=True, slots=True)
class Network:
    """A network that deployments go to."""

    network_id: int
    name: str
    title: str
    chain_id: str | None
    created_at: datetime

    @property
    def id(self) -> str:
        return encode_number(NodeKind.NETWORK, self.network_id)

    @classmethod
    def of(cls, row: Any) -> Network:
        return cls(row["network_id"], row["name"], row["title"], _chain_id(row), row["created_at"])


def _chain_id(row: Any) -> str | None:
    """Chain ids need more than the 32 bits of GraphQL's Int."""
    chain_id = row["chain_id"]
    return None if chain_id is None else str(chain_id)


async def network(context: Context, name: str, *, defer: bool = False) -> Network | None:
    """With `defer`, only the id is looked up now; fields await the other columns."""
    rows, name = context.loaders.network_by_name, name.lower()
    if not defer:
        row = await rows.load(name)
        return None if row is None else Network.of(row)
    network_id = (await context.services.dictionaries.ids(Dictionary.NETWORK, [name])).get(name)
    if network_id is None or network_id <= OTHER:
        return None
    return Network(
        network_id=network_id,
        name=name,
        title=deferred(rows, name, "title"),
        chain_id=cast("Any", DeferredColumn(rows, name, _chain_id)),
        created_at=deferred(rows, name, "created_at"),
    )


async def network_by_id(context: Context, network_id: int) -> Network | None:
    row = await context.loaders.network_by_id.load(network_id)
    return None if row is None else Network.of(row)


async def networks(context: Context) -> list[Network]:
    return [Network.of(row) for row in await queries.find_all(context.services.database)]
