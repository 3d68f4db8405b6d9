"""A prepared operation, and what it takes from the viewer's budgets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from graphql import OperationType

from access.budgets import Budgets
from access.limits import OPERATION, Budget
from gateway.graphql.documents.cost import Cost, max_cost, refusal
from gateway.graphql.documents.documents import BadDocument, Document
from gateway.graphql.requests import GraphQLRequest
from gateway.http.charging import charge, remaining
from gateway.http.exchange import Exchange
from storage.errors import GatewayError

ONE_REQUEST: Final[Mapping[str, int]] = MappingProxyType({Budget.REQUESTS: 1})


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    """An operation that can be executed, and its estimated cost."""

    request: GraphQLRequest
    document: Document
    name: str
    operation: OperationType
    cost: Cost

    @property
    def is_mutation(self) -> bool:
        return self.operation is OperationType.MUTATION

    @property
    def is_subscription(self) -> bool:
        return self.operation is OperationType.SUBSCRIPTION


@asynccontextmanager
async def charged_if_refused(exchange: Exchange, budgets: Budgets) -> AsyncIterator[None]:
    """Charges one request for an operation that cannot be executed."""
    try:
        yield
    except (BadDocument, GatewayError):
        await charge(exchange, budgets, ONE_REQUEST)
        raise


async def charge_operation(
    exchange: Exchange, budgets: Budgets, prepared: PreparedOperation
) -> None:
    """Charges the operation's cost; raises BadDocument if it exceeds the viewer's maximum."""
    limit = max_cost(exchange.required_viewer())
    is_refused = prepared.cost.points > limit and not prepared.request.dry_run
    await charge(exchange, budgets, ONE_REQUEST if is_refused else _charges(prepared))
    if is_refused:
        raise BadDocument([refusal(prepared.cost, limit)])


def _charges(prepared: PreparedOperation) -> Mapping[str, int]:
    """One request, its points, and one for each root field, which admins may limit by name."""
    if prepared.request.dry_run:
        return ONE_REQUEST
    charges: dict[str, int] = {Budget.REQUESTS: 1, Budget.COST: prepared.cost.points}
    for name in prepared.document.roots[prepared.name]:
        charges[f"{OPERATION}{name}"] = 1
    return charges


def cost_extension(exchange: Exchange, prepared: PreparedOperation) -> dict[str, Any]:
    """The member `cost` of the response's extensions."""
    cost = prepared.cost.as_json(max_cost(exchange.required_viewer()))
    if (left := remaining(exchange, Budget.COST)) is not None:
        cost["remaining"] = left
    return {"cost": cost}
