"""A prepared operation, and what it takes from the viewer's budgets."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from access.limits import OPERATION, Budget
from gateway.graphql.documents.cost import Cost, max_cost
from gateway.graphql.documents.documents import Document, Operation
from gateway.graphql.requests import GraphQLRequest
from gateway.http.charging import remaining
from gateway.http.exchange import Exchange

ONE_REQUEST: Final[Mapping[str, int]] = MappingProxyType({Budget.REQUESTS: 1})


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    """An operation that can be executed, and its estimated cost."""

    request: GraphQLRequest
    document: Document
    operation: Operation
    cost: Cost

    def charges(self) -> Mapping[str, int]:
        """One request, its points, and one for each root field, which admins may limit by name."""
        if self.request.dry_run:
            return ONE_REQUEST
        charges: dict[str, int] = {Budget.REQUESTS: 1, Budget.COST: self.cost.points}
        for name in self.operation.roots:
            charges[f"{OPERATION}{name}"] = 1
        return charges


def cost_extension(exchange: Exchange, prepared: PreparedOperation) -> dict[str, Any]:
    """The member `cost` of the response's extensions."""
    cost = prepared.cost.as_json(max_cost(exchange.required_viewer()))
    if (left := remaining(exchange, Budget.COST)) is not None:
        cost["remaining"] = left
    return {"cost": cost}
