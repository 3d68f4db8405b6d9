"""Prepares and answers operations, over whichever transport they come."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from graphql import ExecutionResult
from starlette.requests import Request

from access.budgets import Budgets
from access.limits import OPERATION, Budget
from gateway.graphql.answers.encoding import encode
from gateway.graphql.answers.freshness import cached_headers, freshness_headers, freshness_of
from gateway.graphql.answers.response_cache import ResponseCache
from gateway.graphql.documents.cost import Cost, max_cost, refusal
from gateway.graphql.documents.documents import BadDocument, Document, Operation
from gateway.graphql.errors import (
    OK,
    code_of,
    crashes,
    error_body,
    executed,
    never_began,
    unanswered,
)
from gateway.graphql.execution.executor import Executor
from gateway.graphql.execution.leaving import cancelled_on_disconnect
from gateway.graphql.introspection import Introspection
from gateway.graphql.requests import GraphQLRequest
from gateway.http.charging import charge, remaining
from gateway.http.errors import MethodNotAllowed
from gateway.http.exchange import Exchange
from storage.errors import GatewayError, Overloaded, Unavailable

_AWAY = frozenset({Unavailable.code, Overloaded.code})
UNWATCHED: Final = nullcontext()
ONE_REQUEST: Final[Mapping[str, int]] = MappingProxyType({Budget.REQUESTS: 1})

CreateContext = Callable[[Exchange], Awaitable[Any]]
FindDocument = Callable[[GraphQLRequest], Awaitable[Document]]


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    """An operation that can be executed, and its estimated cost."""

    request: GraphQLRequest
    document: Document
    operation: Operation
    cost: Cost

    def charges(self) -> Mapping[str, int]:
        """One request or subscription, its points, and one for each root field.

        Admins may limit root fields by name.
        """
        if self.request.dry_run:
            return ONE_REQUEST
        kind = Budget.SUBSCRIPTIONS if self.operation.is_subscription else Budget.REQUESTS
        charges: dict[str, int] = {kind: 1, Budget.COST: self.cost.points}
        for name in self.operation.roots:
            charges[f"{OPERATION}{name}"] = 1
        return charges


@dataclass(frozen=True, slots=True)
class Answered:
    """An encoded answer; `ran` is false where the operation could not begin."""

    body: bytes
    headers: Mapping[str, str]
    outcome: str = OK
    ran: bool = True


@dataclass(frozen=True, slots=True)
class GraphQLService:
    """Everything about an operation that does not depend on its transport."""

    find_document: FindDocument
    executor: Executor
    create_context: CreateContext
    budgets: Budgets
    responses: ResponseCache | None  # None where no answers are cached
    introspection: Introspection = Introspection.EVERYBODY

    async def prepare(self, exchange: Exchange, request: GraphQLRequest) -> PreparedOperation:
        """Parses, validates and estimates; raises a GatewayError if it cannot be executed."""
        document = await self.find_document(request)
        operation = document.operation(request.operation_name)
        self.introspection.require(exchange.required_viewer(), operation.roots)
        operation.inputs.check(request.variables)
        exchange.operation_name = operation.name[:100]
        exchange.document = document.digest[:16]
        cost = operation.measured.cost(request.variables)
        if operation.is_mutation and exchange.method == "GET":
            raise MethodNotAllowed("Mutations must be sent by POST.", allow="POST")
        return PreparedOperation(request, document, operation, cost)

    @asynccontextmanager
    async def charged_if_refused(self, exchange: Exchange) -> AsyncIterator[None]:
        """Charges one request if the block refuses the operation by raising a GatewayError."""
        try:
            yield
        except GatewayError:
            await charge(exchange, self.budgets, ONE_REQUEST)
            raise

    async def charge(self, exchange: Exchange, prepared: PreparedOperation) -> None:
        """Charges the operation's cost; raises BadDocument if it exceeds the viewer's maximum."""
        limit = max_cost(exchange.required_viewer())
        is_refused = prepared.cost.points > limit and not prepared.request.dry_run
        await charge(exchange, self.budgets, ONE_REQUEST if is_refused else prepared.charges())
        if is_refused:
            raise BadDocument([refusal(prepared.cost, limit)])

    async def answer(
        self, exchange: Exchange, prepared: PreparedOperation, own_request: Request | None = None
    ) -> Answered:
        """The answer to an admitted query or mutation, or its cost for a dry run.

        A query ends when the client of `own_request`, which carries nothing else, disconnects.
        """
        if prepared.request.dry_run:
            extensions = cost_extension(exchange, prepared)
            return Answered(encode({"data": None, "extensions": extensions}), {})
        if not prepared.operation.is_mutation:
            return await self._query(exchange, prepared, own_request)
        try:
            # A mutation is never left half done, whether or not its client still waits.
            return await self._execute(exchange, prepared)
        finally:
            if self.responses is not None:
                self.responses.wrote_anything()

    async def _query(
        self, exchange: Exchange, prepared: PreparedOperation, own_request: Request | None
    ) -> Answered:
        """A cached answer, or a new one, which is then cached."""
        responses, slot = self.responses, None
        if responses is not None:
            viewer = exchange.required_viewer()
            slot = await responses.slot(prepared.document, prepared.request, viewer)
        if responses is None or slot is None:
            return await self._execute(exchange, prepared, own_request)
        if cached := responses.find(slot):
            return Answered(cached.body, cached_headers(cached))
        try:
            answer = await self._execute(exchange, prepared, own_request)
        except Unavailable:
            if cached := responses.last_resort(slot):
                return Answered(cached.body, cached_headers(cached))
            raise
        if answer.outcome == OK:
            responses.put(slot, answer.body, freshness_of(exchange.answers))
        elif answer.outcome in _AWAY and (cached := responses.last_resort(slot)):
            return Answered(cached.body, cached_headers(cached))
        return answer

    async def _execute(
        self,
        exchange: Exchange,
        prepared: PreparedOperation,
        own_request: Request | None = None,
    ) -> Answered:
        context = self.create_context(exchange)
        watched = UNWATCHED if own_request is None else cancelled_on_disconnect(own_request)
        async with watched:
            result = await self.executor.run(prepared.document, prepared.request, context)
        if prepared.operation.is_mutation:
            exchange.mutations_not_begun = _not_begun(result, prepared)
        if _never_ran(result):
            return refused_answer(BadDocument(result.errors or []), exchange)
        if prepared.operation.is_query and (reason := unanswered(result)):
            raise reason  # a 503 that says when to try again
        exchange.crashes = crashes(result)
        body = executed(result, exchange.request_id)
        if prepared.request.wants_cost:
            body["extensions"] = cost_extension(exchange, prepared)
        return Answered(encode(body), freshness_headers(exchange.answers), code_of(body))


def cost_extension(exchange: Exchange, prepared: PreparedOperation) -> dict[str, Any]:
    """The member `cost` of the response's extensions."""
    cost = prepared.cost.as_json(max_cost(exchange.required_viewer()))
    if (left := remaining(exchange, Budget.COST)) is not None:
        cost["remaining"] = left
    return {"cost": cost}


def refused_answer(error: BadDocument, exchange: Exchange) -> Answered:
    """The answer to an operation that could not begin."""
    body = error_body(error, exchange.request_id)
    return Answered(encode(body), {}, code_of(body), ran=False)


def _not_begun(result: ExecutionResult, prepared: PreparedOperation) -> list[str]:
    """The root fields of a mutation that never began, so that none of them wrote an audit entry."""
    roots = prepared.operation.roots
    if _never_ran(result):
        return sorted(roots)
    return [name if name in roots else min(roots) for name in never_began(result)]


def _never_ran(result: ExecutionResult) -> bool:
    """Whether the variables were refused, which is the one failure that has no path."""
    errors = result.errors
    return bool(result.data is None and errors and all(error.path is None for error in errors))
