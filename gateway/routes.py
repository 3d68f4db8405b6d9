"""Every route of the gateway, with its access rules, limits and logging."""

from collections.abc import Callable, Sequence
from typing import cast

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from access.viewers import Permission
from gateway.graphql.errors import graphql_error
from gateway.graphql.live.events import EventStreams
from gateway.graphql.live.websocket import LiveSockets
from gateway.graphql.view import GraphQLView
from gateway.http.charging import charge
from gateway.http.edge_route import KIB, Access, EdgeRoute, Endpoint
from gateway.http.exchange import Exchange
from gateway.opening.database import utc_now
from gateway.pages.inbox import Inbox
from gateway.pages.serving import PageFiles
from gateway.rest.events import EventReceiver
from gateway.rest.otlp import LogReceiver, otlp_error
from gateway.rest.source_maps import SourceMapReceiver
from gateway.sdks.receiver import sentry_error
from gateway.services import Gateway
from ingest.events import MAX_BODY_BYTES
from storage.admin.source_maps import FILE_BYTES


def redirect_to_page(path: str) -> EdgeRoute[Gateway]:
    """A route that redirects to /graphql, whatever the method: 307 keeps a POST's body."""
    return EdgeRoute(
        path=path,
        handler=lambda _gateway: RedirectResponse("/graphql"),
        needs=Access.PUBLIC,
        methods=None,
    )


def graphql_view(gateway: Gateway) -> GraphQLView:
    streams = EventStreams(gateway.live, gateway.authenticator)
    return GraphQLView(gateway.graphql, streams, gateway.telemetry.on_operation, gateway.pages)


def graphql_sockets(gateway: Gateway) -> LiveSockets:
    return LiveSockets(
        gateway.live,
        gateway.authenticator,
        gateway.token_uses,
        gateway.own.on_crash,
        gateway.telemetry.on_live_connections,
        gateway.telemetry.on_live_message,
    )


def probe_route(path: str, handler: Callable[[Gateway], Endpoint]) -> EdgeRoute[Gateway]:
    """A route that load balancers and scrapers call every few seconds."""
    return EdgeRoute(
        path=path, handler=handler, needs=Access.PUBLIC, has_any_host=True, logs_successes=False
    )


def sdk_route(path: str, handler: Callable[[Gateway], Endpoint]) -> EdgeRoute[Gateway]:
    """A route for Sentry's SDKs, with the public key of a DSN as their credential."""
    return EdgeRoute(
        path=path,
        handler=handler,
        needs=Access.PROJECT_KEY,
        methods=("POST",),
        body_bytes=MAX_BODY_BYTES,
        budget=None,  # its bytes and events are charged instead
        is_any_origin=True,
        is_audited=True,
        error_response=sentry_error,
    )


def page_route(path: str) -> EdgeRoute[Gateway]:
    """A route of the dashboard, whose script draws the page that the path names."""

    def handler(gateway: Gateway) -> Endpoint:
        async def respond(_request: Request) -> Response:
            return gateway.pages.respond()

        return respond

    return EdgeRoute(path=path, handler=handler, needs=Access.PUBLIC)


# Only where the gateway serves GraphiQL.
GRAPHIQL_ROUTES = (redirect_to_page("/graphiql"), redirect_to_page("/graphiql/"))

# Only where the gateway serves the dashboard. Its script draws a page for each of these paths.
DASHBOARD_PATHS = (
    "/",
    "/deployments",
    "/deployments/{id}",
    "/builds",
    "/builds/{id}",
    "/functions",
    "/functions/{name:path}",
    "/endpoints",
    "/endpoints/{name:path}",
    "/networks",
    "/networks/{name:path}",
    "/templates",
    "/templates/{name:path}",
    "/errors",
    "/errors/{id}",
    "/alerts",
    "/alerts/silences",
    "/alerts/channels",
    "/alerts/channels/{id}",
    "/alerts/{id}",
    "/alerts/{id}/edit",
    "/projects/{id}",
    "/explorer",
    "/logs",
    "/measures",
    "/settings",
    "/settings/keys",
    "/settings/keys/{id}",
    "/settings/secrets",
    "/settings/source-maps",
    "/settings/tokens",
    "/settings/members",
    "/settings/limits",
    "/settings/erasure",
    "/settings/audit",
    "/telemetry",
)
DASHBOARD_ROUTES = tuple(map(page_route, DASHBOARD_PATHS))

# What the pages of either load.
PAGE_ROUTES: tuple[EdgeRoute[Gateway], ...] = (
    EdgeRoute(
        path="/demo-token",
        handler=lambda gateway: gateway.demo.respond,
        needs=Access.PUBLIC,
    ),
    EdgeRoute(
        path="/pages", handler=lambda _gateway: PageFiles(), needs=Access.PUBLIC, is_folder=True
    ),
)

API_ROUTES: tuple[EdgeRoute[Gateway], ...] = (
    EdgeRoute(
        path="/graphql",
        handler=graphql_view,
        websocket=graphql_sockets,
        needs=Access.EACH_FIELD,
        methods=("GET", "POST"),
        body_bytes=100 * KIB,
        is_cross_origin=True,
        is_audited=True,
        error_response=graphql_error,
    ),
    EdgeRoute(
        path="/v1/events",
        handler=lambda gateway: EventReceiver(gateway.services.intake, gateway.budgets).receive,
        needs=Permission.RECORD,
        methods=("POST",),
        body_bytes=MAX_BODY_BYTES,
        budget=None,  # its bytes and events are charged instead
        is_cross_origin=True,
        is_audited=True,
    ),
    EdgeRoute(
        path="/v1/logs",
        handler=lambda gateway: (
            LogReceiver(EventReceiver(gateway.services.intake, gateway.budgets)).receive
        ),
        needs=Permission.RECORD,
        methods=("POST",),
        body_bytes=MAX_BODY_BYTES,
        budget=None,  # its bytes and events are charged instead
        is_cross_origin=True,
        is_audited=True,
        error_response=otlp_error,
    ),
    EdgeRoute(
        path="/v1/projects/{slug}/releases/{release:path}/source-maps",
        handler=lambda gateway: SourceMapReceiver(gateway.services, gateway.budgets).receive,
        needs=Permission.RECORD,
        methods=("PUT",),
        body_bytes=FILE_BYTES,
        budget=None,  # its bytes are charged instead
        is_audited=True,
    ),
    sdk_route("/api/{project}/envelope/", lambda gateway: gateway.sdks.receive_envelope),
    sdk_route("/api/{project}/envelope", lambda gateway: gateway.sdks.receive_envelope),
    sdk_route("/api/{project}/store/", lambda gateway: gateway.sdks.receive_event),
    sdk_route("/api/{project}/store", lambda gateway: gateway.sdks.receive_event),
    probe_route("/health", lambda gateway: gateway.health.health),
    probe_route("/ready", lambda gateway: gateway.health.ready),
    probe_route("/live", lambda gateway: gateway.health.live),
    probe_route("/metrics", lambda gateway: gateway.telemetry.metrics),
)

# Only in demos: what their alerts send.
INBOX_ROUTE: EdgeRoute[Gateway] = EdgeRoute(
    path="/demo/inbox",
    handler=lambda gateway: (gateway.inbox or Inbox(utc_now)).respond,
    needs=Access.PUBLIC,
    methods=("GET", "POST"),
    body_bytes=256 * KIB,
    logs_successes=False,
)

ROUTES = (*API_ROUTES, *GRAPHIQL_ROUTES, *DASHBOARD_ROUTES, INBOX_ROUTE, *PAGE_ROUTES)


def routes_of(gateway: Gateway) -> Sequence[EdgeRoute[Gateway]]:
    """The routes of this gateway: pages only where its settings serve them."""
    pages = (
        *(GRAPHIQL_ROUTES if gateway.pages.graphiql else ()),
        *(DASHBOARD_ROUTES if gateway.pages.dashboard else ()),
    )
    demo = (INBOX_ROUTE,) if gateway.inbox is not None else ()
    return (*API_ROUTES, *pages, *demo, *(PAGE_ROUTES if pages else ()))


def starlette_routes(routes: Sequence[EdgeRoute[Gateway]], gateway: Gateway) -> list[BaseRoute]:
    """The routes with their endpoints, for Starlette's router."""
    return [
        bound
        for route in routes
        for bound in route.starlette_routes(
            _endpoint(route, gateway), route.websocket(gateway) if route.websocket else None
        )
    ]


def _endpoint(route: EdgeRoute[Gateway], gateway: Gateway) -> Endpoint | ASGIApp:
    """The endpoint of a route, behind its permission, its guard and its budget."""
    handler, needs = route.handler(gateway), route.needs
    if not isinstance(needs, Permission):
        return handler
    respond = cast("Endpoint", handler)  # only functions of a request are behind a permission

    async def endpoint(request: Request) -> Response:
        exchange = Exchange.of(request.scope)
        exchange.required_viewer().require(needs)
        gateway.request_guard.count(exchange)
        if route.budget is not None:
            await charge(exchange, gateway.budgets, {route.budget: 1})
        return await respond(request)

    return endpoint
