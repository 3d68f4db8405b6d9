"""The HTTP application: its routes and its middleware, each in one list."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import Any

import strawberry
import structlog
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from access.keys import KeySet
from access.tokens import TokenVerifier
from access.viewers import Viewer
from gateway.config.key_server import fetch_keys
from gateway.config.settings import Settings
from gateway.graphql.answers.freshness import remember
from gateway.graphql.documents.documents import Documents
from gateway.graphql.execution.compiled import compiled_executor
from gateway.graphql.execution.counting import CountingExecutor
from gateway.graphql.execution.executor import Executor
from gateway.graphql.introspection import Introspection
from gateway.graphql.live.events import EventStreams
from gateway.graphql.live.operations import Operations
from gateway.graphql.live.topics import Topics
from gateway.graphql.live.websocket import LiveSockets
from gateway.graphql.view import GraphQLView
from gateway.http.edge import OPEN, Edge, serves_page
from gateway.http.errors import from_crash, from_http_exception
from gateway.http.requests import address_of, request_id_of
from gateway.middleware.authentication import Authentication
from gateway.middleware.body_limits import BodyLimits
from gateway.middleware.cross_origin import CrossOrigin
from gateway.middleware.envelope import Envelope
from gateway.middleware.failures import Failures
from gateway.middleware.hosts import Hosts
from gateway.middleware.security_headers import SecurityHeaders
from gateway.middleware.strangers import Strangers
from gateway.observability.checks import checks
from gateway.observability.health import Health
from gateway.observability.telemetry import Telemetry
from gateway.pages.serving import GraphiQLFiles
from gateway.rest.events import receive_events
from gateway.rest.guard import REQUESTS, guard, refuse
from gateway.rest.metrics import metrics
from gateway.services import open_services, persisted_documents
from resolvers.context import Context
from schema import schema as our_schema
from schema.internals import core

log = structlog.get_logger(component="app")


def create_app(settings: Settings, schema: strawberry.Schema | None = None) -> Starlette:
    telemetry = Telemetry()
    edge = Edge.of(settings)
    health = Health(version("deployment-analytics-gateway"))
    verifier = token_verifier(settings)
    view = graphql_view(
        schema or our_schema,
        telemetry,
        create_context,
        hide_suggestions=settings.environment != "demo",
        compiled=settings.graphql_compiled,
    )
    view = replace(view, introspection=Introspection.of(settings), has_page=serves_page(settings))

    topics = Topics(telemetry.on_topics)
    telemetry.watch_live_waiting(lambda: topics.shared.waiting_bytes)
    operations = Operations(view, topics)
    sockets = LiveSockets(
        operations, verifier, telemetry.on_live_connections, telemetry.on_live_message
    )
    limiter = guard(settings.rate_limit_enabled)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_services(settings, telemetry) as opened:
            app.state.services = opened.services
            app.state.responses = opened.responses
            app.state.admission = opened.admission
            app.state.token_uses = opened.token_uses
            app.state.service_tokens = opened.service_tokens
            app.state.persisted = persisted_documents(opened, view.documents, settings, telemetry)
            health.checks = checks(opened)
            yield
            await operations.topics.stop()

    app = Starlette(
        routes=routes(view, health, limiter, sockets),
        middleware=middleware(telemetry, verifier, edge),
        exception_handlers={
            HTTPException: from_http_exception,
            Exception: from_crash,
            RateLimitExceeded: refuse,
        },
        lifespan=lifespan,
    )
    # A redirect to the right number of slashes would be built from the client's Host header.
    app.router.redirect_slashes = False
    app.state.telemetry = telemetry
    app.state.limiter = limiter  # where slowapi looks for it
    app.state.proxies = edge.proxies
    app.state.health = health
    app.state.verifier = verifier
    app.state.event_streams = EventStreams(operations)
    return app


def routes(
    view: GraphQLView, health: Health, limiter: Limiter, sockets: LiveSockets | None = None
) -> list[BaseRoute]:
    page = [
        Route("/", RedirectResponse("/graphql")),
        Route("/graphiql", RedirectResponse("/graphql")),
        Route("/graphiql/", RedirectResponse("/graphql")),
        Mount("/graphiql", GraphiQLFiles()),
    ]
    return [
        *(page if view.has_page else []),
        Route("/graphql", view),
        *([WebSocketRoute("/graphql", sockets)] if sockets else []),
        Route("/v1/events", limiter.limit(REQUESTS)(receive_events), methods=["POST"]),
        Route("/health", health.health),
        Route("/ready", health.ready),
        Route("/live", health.live),
        Route("/metrics", metrics),
    ]


def middleware(
    telemetry: Telemetry, verifier: TokenVerifier, edge: Edge = OPEN
) -> list[Middleware]:
    """From the outside in."""
    return [
        Middleware(Envelope, on_request=telemetry.on_request),
        Middleware(SecurityHeaders, proxies=edge.proxies, hsts=edge.hsts),
        Middleware(CrossOrigin, allowed=edge.origins),
        Middleware(Failures),
        Middleware(Hosts, allowed=edge.hosts),
        Middleware(Strangers),
        Middleware(Authentication, verifier=verifier),
        Middleware(BodyLimits),
    ]


def token_verifier(settings: Settings) -> TokenVerifier:
    keys = None
    if url := settings.jwt_jwks_url:
        keys = KeySet(partial(fetch_keys, url), time.monotonic, keys_unreadable)
    return TokenVerifier(
        settings.jwt_secrets,
        settings.jwt_issuer,
        settings.jwt_audience,
        timedelta(seconds=settings.jwt_leeway_seconds),
        keys=keys,
    )


def keys_unreadable(error: Exception) -> None:
    log.warning("keys_unreadable", reason=str(error))


def graphql_view(
    schema: strawberry.Schema,
    telemetry: Telemetry,
    context: Callable[[HTTPConnection, Viewer], Any],
    hide_suggestions: bool = True,
    compiled: bool = True,
) -> GraphQLView:
    documents = Documents(
        core(schema),
        hide_suggestions=hide_suggestions,
        on_lookup=telemetry.on_document,
    )
    executor = Executor(
        schema,
        hide_suggestions=hide_suggestions,
        executor_class=compiled_executor() if compiled else CountingExecutor,
    )
    return GraphQLView(documents, executor, context, telemetry.on_operation)


async def create_context(request: HTTPConnection, viewer: Viewer) -> Context:
    services, request_id = request.app.state.services, request_id_of(request)
    context = await Context.create(services, viewer, request_id, address_of(request))
    remember(request, context.loaders.answered)
    return context
