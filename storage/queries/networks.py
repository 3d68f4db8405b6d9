"""Networks: the platform's list, the same for every tenant, so read without a scope."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.dimensions import OTHER, networks

# Admins provision networks; more than this are too many to list without pages.
LISTED_AT_MOST = 500

_PROVISIONED = select(networks).where(networks.c.network_id > OTHER)
_ALL = SqlQuery("networks_all", _PROVISIONED.order_by(networks.c.name).limit(LISTED_AT_MOST))
_BY_NAMES = SqlQuery("networks_by_names", _PROVISIONED.where(any_of(networks.c.name, "names")))
_BY_IDS = SqlQuery("networks_by_ids", _PROVISIONED.where(any_of(networks.c.network_id, "ids")))


async def find_all(database: Database) -> list[Any]:
    return list(await database.fetch(_ALL))


async def by_names(database: Database, names: Sequence[str]) -> dict[str, Any]:
    return {row["name"]: row for row in await database.fetch(_BY_NAMES, names=list(names))}


async def by_ids(database: Database, ids: Sequence[int]) -> dict[int, Any]:
    return {row["network_id"]: row for row in await database.fetch(_BY_IDS, ids=list(ids))}
