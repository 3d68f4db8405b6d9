"""The HTTP application: its middleware in one list, around the routes of gateway/routes.py."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.config.edge_policy import EdgePolicy
from gateway.config.settings import Settings
from gateway.http.edge_route import EdgeRoute, RouteTable
from gateway.middleware.authentication import Authentication
from gateway.middleware.body_limits import BodyLimits
from gateway.middleware.cross_origin import CrossOrigin
from gateway.middleware.failures import Failures, from_crash, from_http_exception
from gateway.middleware.hosts import Hosts
from gateway.middleware.request_log import RequestLog
from gateway.middleware.security_headers import SecurityHeaders
from gateway.observability.health import Health
from gateway.opening.services import PACKAGE
from gateway.routes import routes_of, starlette_routes
from gateway.services import Gateway, open_gateway
from schema import schema as our_schema


class Application:
    """The ASGI application: opens a `Gateway` when the server starts, closes it when it stops."""

    def __init__(self, settings: Settings, schema: strawberry.Schema | None = None) -> None:
        self.settings = settings
        self.schema = schema or our_schema
        self.policy = EdgePolicy.of(settings)
        self.health = Health(version(PACKAGE))
        self._lifespan = Router(lifespan=self._opened)
        self._gateway: Gateway | None = None
        self._app: ASGIApp | None = None

    @property
    def gateway(self) -> Gateway:
        assert self._gateway is not None, "the application has not started"
        return self._gateway

    def end_subscriptions(self) -> None:
        """Ends all subscriptions, so that their clients connect to another process."""
        self.gateway.live.topics.end_all()

    @asynccontextmanager
    async def _opened(self, _app: object) -> AsyncIterator[None]:
        async with open_gateway(self.settings, self.health, self.schema) as gateway:
            self._gateway, self._app = gateway, create_app(gateway)
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._lifespan if scope["type"] == "lifespan" else self._app
        assert app is not None, "the application has not started"
        await app(scope, receive, send)


def create_app(gateway: Gateway, routes: Sequence[EdgeRoute[Gateway]] | None = None) -> Starlette:
    """The application of an open gateway."""
    routes = routes or routes_of(gateway)
    app = Starlette(
        routes=starlette_routes(routes, gateway),
        middleware=middleware(gateway, routes),
        exception_handlers={
            HTTPException: from_http_exception,
            Exception: from_crash,
        },
    )
    # A redirect to the right number of slashes would be built from the client's Host header.
    app.router.redirect_slashes = False
    return app


def middleware(gateway: Gateway, routes: Sequence[EdgeRoute[Gateway]]) -> list[Middleware]:
    """The middleware, outermost first."""
    policy = gateway.policy
    return [
        Middleware(
            RequestLog,
            routes=RouteTable(routes),
            proxies=policy.proxies,
            token_uses=gateway.token_uses,
            on_request=(gateway.telemetry.on_request, gateway.own.on_request),
        ),
        Middleware(SecurityHeaders, proxies=policy.proxies, hsts=policy.hsts),
        Middleware(CrossOrigin, allowed=policy.origins),
        Middleware(Failures),
        Middleware(Hosts, allowed=policy.hosts),
        Middleware(Authentication, authenticator=gateway.authenticator, budgets=gateway.budgets),
        Middleware(BodyLimits),
    ]
