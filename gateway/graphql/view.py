"""GraphQL over HTTP: one operation in, one answer out, status codes as specified."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeGuard

from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from access.viewers import Viewer
from gateway.graphql.answers.delivery import (
    NOT_CACHED,
    cacheable_response,
    compressed_response,
)
from gateway.graphql.answers.encoding import encode
from gateway.graphql.answers.freshness import figures_of, freshness_headers, kept_headers
from gateway.graphql.answers.negotiation import (
    EVENT_STREAM,
    GRAPHQL,
    HTML,
    OFFERED,
    WITH_PAGE,
    preferred,
)
from gateway.graphql.answers.responses import ANY, responses_of
from gateway.graphql.asked import Asked, admitted, charged_if_refused, cost_told
from gateway.graphql.documents.cost import max_cost
from gateway.graphql.documents.documents import BadDocument, Document, Documents, bad_document
from gateway.graphql.documents.persisted import PersistedDocuments
from gateway.graphql.errors import (
    OK,
    code_of,
    crashes,
    executed,
    never_began,
    refused_with,
    unanswered,
)
from gateway.graphql.execution.executor import Executor
from gateway.graphql.execution.leaving import cancelled_on_disconnect
from gateway.graphql.incoming import accept_of, allow, allow_mutation, read
from gateway.graphql.introspection import Introspection
from gateway.graphql.requests import GraphQLRequest
from gateway.http.errors import MethodNotAllowed, NotAcceptable
from gateway.http.requests import (
    CRASHES,
    UNDONE,
    log_fields,
    request_id_of,
    state_of,
    viewer_of,
)
from gateway.pages.serving import page
from storage.errors import GatewayError, Overloaded, Unavailable

METHODS = "GET, POST"
_AWAY = frozenset({Unavailable.code, Overloaded.code})
UNWATCHED: Final = nullcontext()

CreateContext = Callable[[HTTPConnection, Viewer], Awaitable[Any]]
OnOperation = Callable[[str, str, float], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer ready to be sent; `ran` is false where the operation could not begin."""

    body: bytes
    headers: Mapping[str, str]
    outcome: str = OK
    ran: bool = True
    compressible: bool = True


class Streams(Protocol):
    """What answers operations as event streams."""

    def respond(self, request: Request, viewer: Viewer, parameters: GraphQLRequest) -> Response: ...


@dataclass(frozen=True, slots=True)
class GraphQLView:
    """The ASGI application behind /graphql."""

    documents: Documents
    executor: Executor
    create_context: CreateContext
    on_operation: OnOperation
    introspection: Introspection = Introspection.EVERYBODY
    has_page: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method not in ("GET", "POST"):
            raise MethodNotAllowed("Send a GraphQL request by POST or GET.", allow=METHODS)
        offered = WITH_PAGE if self.has_page and request.method == "GET" else OFFERED
        media_type = preferred(accept_of(request), offered)
        if media_type == HTML:
            return page()
        if media_type is None:
            raise NotAcceptable(f"This endpoint answers with {' or '.join(OFFERED)}.")
        viewer = viewer_of(request)
        if media_type == EVENT_STREAM:
            streams: Streams = request.app.state.event_streams
            async with charged_if_refused(request, viewer):
                parameters = await read(request)
            return streams.respond(request, viewer, parameters)
        answer = await self._answer(request, viewer)
        status = 200 if answer.ran or media_type != GRAPHQL else 400
        content_type = f"{media_type}; charset=utf-8"
        headers = {**NOT_CACHED, "content-type": content_type, **answer.headers}
        if request.method == "GET" and answer.ran and answer.outcome == OK:
            return await cacheable_response(request.headers, answer.body, headers)
        if answer.compressible:
            return await compressed_response(request.headers, answer.body, status, headers)
        return Response(answer.body, status, headers=headers)

    async def _answer(self, request: Request, viewer: Viewer) -> Answered:
        """Answer the operation and note how it went, whichever way it ends."""
        started = time.perf_counter()
        kind, outcome = "unknown", "INTERNAL"
        try:
            asked = await self._asked(request, viewer)
            kind = asked.operation.value
            await admitted(request, viewer, asked)
            answer = await self.answered(request, viewer, asked)
            outcome = answer.outcome
        except BadDocument as error:
            answer = _refused(error.errors, request)
            outcome = answer.outcome
        except GatewayError as error:
            outcome = error.code
            raise
        finally:
            self.on_operation(kind, outcome, time.perf_counter() - started)
            log_fields(request).update(operation=kind, outcome=outcome)
        return answer

    async def _asked(self, request: Request, viewer: Viewer) -> Asked:
        """Read and prepare the request; one that cannot be executed takes from the budget too."""
        async with charged_if_refused(request, viewer):
            parameters = await read(request)
            asked = await self._prepared(request, viewer, parameters)
            allow(asked.operation, request.method)
        return asked

    async def prepared(
        self, connection: HTTPConnection, viewer: Viewer, parameters: GraphQLRequest
    ) -> Asked:
        """An operation that is answered another way, its cost taken from the budgets."""
        async with charged_if_refused(connection, viewer):
            asked = await self._prepared(connection, viewer, parameters)
            allow_mutation(asked.operation, connection.scope.get("method"))
        await admitted(connection, viewer, asked)
        return asked

    async def answered(self, connection: HTTPConnection, viewer: Viewer, asked: Asked) -> Answered:
        """The answer to a query or a mutation that has been admitted, or what it would cost."""
        if asked.parameters.dry_run:
            told = cost_told(connection, asked, max_cost(viewer))
            return Answered(encode({"data": None, "extensions": told}), {})
        if asked.operation is OperationType.MUTATION:
            return await self._mutate(connection, viewer, asked)
        return await self._query(connection, viewer, asked)

    async def _prepared(
        self, connection: HTTPConnection, viewer: Viewer, parameters: GraphQLRequest
    ) -> Asked:
        document = await self._document(connection, parameters)
        operation = document.operation(parameters.operation_name)
        name = document.name(parameters.operation_name)
        self.introspection.require(viewer, document.roots[name])
        document.inputs[name].check(parameters.variables)
        _note(connection, document, parameters)
        cost = document.costs[name].cost(parameters.variables)
        return Asked(parameters, document, name, operation, cost)

    async def _document(self, request: HTTPConnection, parameters: GraphQLRequest) -> Document:
        persisted: PersistedDocuments | None = getattr(request.app.state, "persisted", None)
        if persisted is not None:
            return await persisted.find(parameters)
        if parameters.query is None:  # the endpoint runs without a store
            raise bad_document("Send the query itself.")
        return self.documents.get(parameters.query)

    async def _query(self, request: HTTPConnection, viewer: Viewer, asked: Asked) -> Answered:
        """A kept answer, or a new one that is kept."""
        responses = responses_of(request)
        place = None
        if responses is not None:
            place = await responses.place(asked.document, asked.parameters, viewer)
        if responses is None or place is None:
            return await self._execute(request, viewer, asked)
        if kept := responses.find(place):
            return Answered(kept.body, kept_headers(kept))
        try:
            answer = await self._execute(request, viewer, asked)
        except Unavailable:
            if kept := responses.last_resort(place):
                return Answered(kept.body, kept_headers(kept))
            raise
        if answer.outcome == OK:
            responses.keep(place, answer.body, figures_of(request))
        elif answer.outcome in _AWAY and (kept := responses.last_resort(place)):
            return Answered(kept.body, kept_headers(kept))
        return answer

    async def _mutate(self, request: HTTPConnection, viewer: Viewer, asked: Asked) -> Answered:
        try:
            answer = await self._execute(request, viewer, asked)
            # It may hold a token that was just made, which its compressed length could betray.
            return replace(answer, compressible=False)
        finally:
            if responses := responses_of(request):
                responses.wrote([ANY])

    async def _execute(self, request: HTTPConnection, viewer: Viewer, asked: Asked) -> Answered:
        context = self.create_context(request, viewer)
        # A mutation is never left half done, whether or not somebody waits for it.
        is_query = asked.operation is OperationType.QUERY
        watched = cancelled_on_disconnect(request) if is_query and _is_own(request) else UNWATCHED
        async with watched:
            result = await self.executor.run(asked.document, asked.parameters, context)
        if asked.operation is OperationType.MUTATION and (names := _undone(result, asked)):
            state_of(request.scope)[UNDONE] = names
        if _never_ran(result):
            return _refused(result.errors or [], request)
        if asked.operation is OperationType.QUERY and (reason := unanswered(result)):
            raise reason  # which is a 503 that says when to ask again
        if found := crashes(result):
            state_of(request.scope)[CRASHES] = found
        body = executed(result, request_id_of(request))
        if asked.parameters.wants_cost:
            body["extensions"] = cost_told(request, asked, max_cost(viewer))
        return Answered(encode(body), freshness_headers(request), code_of(body))


def _undone(result: ExecutionResult, asked: Asked) -> list[str]:
    """The mutations that never began, by their fields' names: those did not enter themselves."""
    roots = asked.document.roots[asked.name]
    if _never_ran(result):
        return sorted(roots)
    names = never_began(result)
    return [name if name in roots else min(roots) for name in names]


def _refused(errors: Sequence[GraphQLError], request: HTTPConnection) -> Answered:
    body = refused_with(errors, request_id_of(request))
    return Answered(encode(body), {}, code_of(body), ran=False)


def _note(request: HTTPConnection, document: Document, parameters: GraphQLRequest) -> None:
    log_fields(request).update(
        operation_name=document.name(parameters.operation_name)[:100],
        document=document.digest[:16],
    )


def _is_own(connection: HTTPConnection) -> TypeGuard[Request]:
    """Whether the connection carries this one operation and nothing else."""
    return isinstance(connection, Request)


def _never_ran(result: ExecutionResult) -> bool:
    """Whether the variables were refused, which is the one failure that has no path."""
    errors = result.errors
    return bool(result.data is None and errors and all(error.path is None for error in errors))
