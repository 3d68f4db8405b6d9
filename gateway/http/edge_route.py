"""`EdgeRoute`: a route of the gateway with its access rules, limits and logging."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from inspect import isroutine
from typing import Any, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Scope

from access.limits import Budget
from access.viewers import Permission
from gateway.http.errors import rest_error
from storage.errors import GatewayError

KIB = 1024

# The argument of handlers: the `Gateway` in `gateway.routes`.
Parts = TypeVar("Parts")
Endpoint = Callable[[Request], Awaitable[Response]]
ErrorResponse = Callable[[GatewayError, Scope, str], Response]


class Access(StrEnum):
    """Who may call a route that no single permission guards."""

    PUBLIC = "public"  # tokens are not read
    EACH_FIELD = "each field"  # each field of the operation needs a permission of its own
    PROJECT_KEY = "project key"  # the handler verifies the public key of a DSN


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeRoute(Generic[Parts]):
    """One route. Every layer (limits, permissions, audit, log, metrics, docs) reads it from here.

    `path` is a template as Starlette has it, such as `/v1/projects/{slug}`, and the name of the
    route in logs and metrics. `handler` makes the endpoint. Before the endpoint of a route that
    needs a permission runs, the viewer must have it, and one unit of `budget` is charged.
    """

    path: str
    handler: Callable[[Parts], Endpoint | ASGIApp]
    needs: Permission | Access
    methods: Sequence[str] | None = ("GET",)  # None: all of them
    websocket: Callable[[Parts], ASGIApp] | None = None  # for WebSockets at the same path
    is_folder: bool = False  # the endpoint serves everything below the path
    body_bytes: int = 16 * KIB
    budget: Budget | None = Budget.REQUESTS
    is_cross_origin: bool = False  # pages of the origins in CORS_ORIGINS may call it
    is_any_origin: bool = False  # pages of every origin may call it
    has_any_host: bool = False  # probes and scrapers come by address, so any Host is accepted
    is_audited: bool = False  # uses of tokens are recorded in the audit log
    logs_successes: bool = True  # False for routes that probes call every few seconds
    error_response: ErrorResponse = rest_error

    @property
    def is_public(self) -> bool:
        return self.needs is Access.PUBLIC

    @property
    def reads_tokens(self) -> bool:
        """Whether the Authorization header holds one of our tokens."""
        return self.needs not in (Access.PUBLIC, Access.PROJECT_KEY)

    def starlette_routes(self, endpoint: Any, websocket: Any) -> list[BaseRoute]:
        """The routes of Starlette's router: one for HTTP, and one for WebSockets if declared.

        An endpoint that is an ASGI application refuses other methods itself.
        """
        if self.is_folder:
            return [Mount(self.path, endpoint)]
        sockets = [WebSocketRoute(self.path, websocket)] if self.websocket else []
        methods = self.methods if isroutine(endpoint) else None
        return [Route(self.path, endpoint, methods=methods), *sockets]


async def _unused(_request: Request) -> Response:
    raise AssertionError("a route table only matches")


# Stands for the route of a request that matches none.
UNMATCHED: EdgeRoute[Any] = EdgeRoute(
    path="unmatched", handler=lambda _parts: _unused, needs=Access.EACH_FIELD
)


class RouteTable:
    """Finds the declaration of the route that a request is for."""

    def __init__(self, routes: Sequence[EdgeRoute[Any]]) -> None:
        self._matchers = [
            (matcher, route)
            for route in routes
            for matcher in route.starlette_routes(_unused, _unused)
        ]

    def find(self, scope: Scope) -> EdgeRoute[Any]:
        """The first route whose path matches, even if its method does not; else UNMATCHED."""
        for matcher, route in self._matchers:
            if matcher.matches(scope)[0] is not Match.NONE:
                return route
        return UNMATCHED
