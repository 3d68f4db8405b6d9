"""An operation that can be executed, and what it takes from the budgets of who asks for it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from graphql import OperationType
from starlette.requests import HTTPConnection

from access.limits import OPERATION, Budget
from access.viewers import Viewer
from gateway.admission import admit, remaining
from gateway.graphql.documents.cost import Cost, max_cost, refusal
from gateway.graphql.documents.documents import BadDocument, Document
from gateway.graphql.requests import GraphQLRequest
from storage.errors import GatewayError

ONE_REQUEST: Final[Mapping[str, int]] = MappingProxyType({Budget.REQUESTS: 1})


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation that can be executed, and what it is estimated to cost."""

    parameters: GraphQLRequest
    document: Document
    name: str
    operation: OperationType
    cost: Cost


@asynccontextmanager
async def charged_if_refused(connection: HTTPConnection, viewer: Viewer) -> AsyncIterator[None]:
    """What cannot be executed takes from the budget of requests all the same."""
    try:
        yield
    except (BadDocument, GatewayError):
        await admit(connection, viewer, ONE_REQUEST)
        raise


async def admitted(connection: HTTPConnection, viewer: Viewer, asked: Asked) -> None:
    """Take what it costs; raises BadDocument for what costs more than this viewer may ask for."""
    limit = max_cost(viewer)
    is_refused = asked.cost.points > limit and not asked.parameters.dry_run
    await admit(connection, viewer, ONE_REQUEST if is_refused else _charges(asked))
    if is_refused:
        raise BadDocument([refusal(asked.cost, limit)])


def _charges(asked: Asked) -> Mapping[str, int]:
    """One request, its points, and one for each kind of root field, where admins limit that."""
    if asked.parameters.dry_run:
        return ONE_REQUEST
    charges: dict[str, int] = {Budget.REQUESTS: 1, Budget.COST: asked.cost.points}
    for name in asked.document.roots[asked.name]:
        charges[f"{OPERATION}{name}"] = 1
    return charges


def cost_told(connection: HTTPConnection, asked: Asked, limit: int) -> dict[str, Any]:
    told = asked.cost.as_json(limit)
    if (left := remaining(connection, Budget.COST)) is not None:
        told["remaining"] = left
    return {"cost": told}
