"""A small schema behind the real middleware, for tests of the transport alone."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import strawberry
from starlette.applications import Starlette

from access.budgets import Budgets
from access.limits import NO_LIMITS
from access.service_tokens import ServiceTokens
from access.token_uses import TokenUses
from access.tokens import TokenVerifier, issue
from access.viewers import Role, Viewer
from gateway.app import create_app
from gateway.config.edge_policy import EdgePolicy
from gateway.graphql.documents.documents import Document, Documents
from gateway.graphql.documents.limits import DocumentLimits
from gateway.graphql.execution.executor import Executor
from gateway.graphql.live.operations import LiveOperations
from gateway.graphql.live.topics import Topics
from gateway.graphql.requests import GraphQLRequest
from gateway.graphql.service import GraphQLService
from gateway.http.exchange import Exchange
from gateway.http.tokens import Authenticator
from gateway.observability.health import Health
from gateway.observability.telemetry import Telemetry
from gateway.pages.serving import Pages
from gateway.rest.guard import RequestGuard
from gateway.routes import API_ROUTES
from gateway.sdks.receiver import SentryReceiver
from gateway.services import Gateway
from schema.internals import core
from storage.errors import InvalidInput, NotFound, Unavailable

SECRET = "a-key-made-for-tests-and-nothing-else-0123456789"
PARTY = "tests"


@strawberry.type
class Node:
    name: str

    @strawberry.field
    def child(self) -> "Node":
        return Node(name="child")


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def who(self, info: strawberry.Info) -> str:
        # The context is the viewer here, and holds one in the whole application.
        viewer: Viewer = getattr(info.context, "viewer", info.context)
        return viewer.subject

    @strawberry.field
    def node(self) -> Node:
        return Node(name="root")

    @strawberry.field
    def missing(self) -> str | None:
        raise NotFound("There is no such thing.", path="id")

    @strawberry.field
    def refused(self) -> str:
        raise InvalidInput("Not like this.")

    @strawberry.field
    def away(self) -> str | None:
        raise Unavailable("The database cannot be reached")

    @strawberry.field
    def crash(self) -> str | None:
        raise RuntimeError("password=hunter2 at db.internal:5432")

    @strawberry.field
    async def crashes(self) -> list[Node | None]:
        return [Node(name=None)] * 500  # type: ignore[arg-type]

    @strawberry.field
    async def sleep(self, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "awake"

    @strawberry.field
    def number(self, value: int) -> float:
        return value * 10.0

    @strawberry.field
    def names(self, values: list[str]) -> int:
        return len(values)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def rename(self, name: str) -> str:
        return name


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[int]:
        yield 1


SCHEMA: Any = strawberry.Schema(Query, Mutation, Subscription)


async def viewer_as_context(exchange: Exchange) -> Viewer:
    return exchange.required_viewer()


def verifier() -> TokenVerifier:
    return TokenVerifier([SECRET], PARTY, PARTY)


def token(
    *roles: Role,
    projects: tuple[str, ...] = (),
    lifetime_seconds: int = 600,
    subject: str = "ada",
) -> str:
    return issue(
        SECRET,
        subject,
        roles or (Role.VIEWER,),
        projects,
        lifetime=timedelta(seconds=lifetime_seconds),
        now=datetime.now(UTC),
        issuer=PARTY,
        audience=PARTY,
    )


def authorized(*roles: Role) -> dict[str, str]:
    return {"authorization": f"Bearer {token(*roles)}"}


def small_gateway(
    telemetry: Telemetry | None = None,
    *,
    deadline_seconds: float = 5.0,
    limits: DocumentLimits | None = None,
    has_page: bool = True,
) -> Gateway:
    """A gateway of the small schema, without servers: nothing in it has been started."""
    nothing: Any = SimpleNamespace(intake=None)
    telemetry = telemetry or Telemetry()
    documents = Documents(core(SCHEMA), limits=limits, on_lookup=telemetry.on_document)
    budgets = Budgets(NO_LIMITS, nothing, nothing, lambda _budget, _allowed: None)
    token_uses = TokenUses(nothing, lambda: datetime.now(UTC))
    service_tokens = ServiceTokens(nothing, lambda: datetime.now(UTC), time.monotonic)
    authenticator = Authenticator(verifier(), service_tokens)

    async def find_document(request: GraphQLRequest) -> Document:
        return documents.get(request.query or "")

    executor = Executor(SCHEMA, deadline_seconds)
    service = GraphQLService(find_document, executor, viewer_as_context, budgets, None)
    return Gateway(
        Health("tests"),
        telemetry,
        EdgePolicy(),
        authenticator,
        budgets,
        token_uses,
        RequestGuard(enabled=False),
        nothing,
        service,
        LiveOperations(service, Topics()),
        Pages(has_page, has_page),
        SentryReceiver(nothing, nothing, nothing, budgets, RequestGuard(enabled=False)),
    )


def graphql_app(
    telemetry: Telemetry | None = None,
    *,
    deadline_seconds: float = 5.0,
    limits: DocumentLimits | None = None,
) -> Starlette:
    """The application of the small gateway."""
    gateway = small_gateway(telemetry, deadline_seconds=deadline_seconds, limits=limits)
    routes = [route for route in API_ROUTES if route.path == "/graphql"]
    return create_app(gateway, routes)


@asynccontextmanager
async def client_of(app: Starlette, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that talks to an application directly; `headers` go with each request."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gateway", headers=headers
    ) as client:
        yield client
