"""`Gateway`: the services that live as long as the process, opened and closed in order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import strawberry

from access.budgets import Budgets
from access.token_uses import TokenUses
from gateway.config.edge_policy import EdgePolicy
from gateway.config.settings import Settings
from gateway.graphql.introspection import Introspection
from gateway.graphql.live.operations import LiveOperations
from gateway.graphql.service import GraphQLService
from gateway.http.tokens import Authenticator
from gateway.observability.health import Health, checks
from gateway.observability.host_samples import sampling_host
from gateway.observability.own_events import OwnEvents, recording
from gateway.observability.telemetry import Telemetry
from gateway.opening.access import open_budgets, open_tokens
from gateway.opening.database import open_database, utc_now
from gateway.opening.graphql import (
    create_context,
    executor,
    open_topics,
    persisted_documents,
)
from gateway.opening.sdks import open_sdks
from gateway.opening.services import open_services
from gateway.pages.demo_sign_in import DemoSignIn
from gateway.pages.inbox import Inbox
from gateway.pages.serving import Pages
from gateway.rest.guard import RequestGuard
from gateway.sdks.receiver import SentryReceiver
from resolvers.context import Services
from schema import schema as our_schema
from storage.connections.redis import open_redis


@dataclass(frozen=True, slots=True)
class Gateway:
    """The services of a process, all open and running."""

    health: Health
    telemetry: Telemetry
    policy: EdgePolicy
    authenticator: Authenticator
    budgets: Budgets
    token_uses: TokenUses
    request_guard: RequestGuard
    services: Services
    graphql: GraphQLService
    live: LiveOperations
    pages: Pages
    sdks: SentryReceiver
    own: OwnEvents = field(default_factory=OwnEvents)
    demo: DemoSignIn = field(default_factory=DemoSignIn)
    inbox: Inbox | None = None  # of a demo


@asynccontextmanager
async def open_inbox(settings: Settings) -> AsyncIterator[Inbox | None]:
    """The inbox of a demo, which catches what its alerts send."""
    if settings.environment != "demo":
        yield None
        return
    inbox = Inbox(utc_now, settings.demo_mail_port)
    async with inbox.catching_mails():
        yield inbox


@asynccontextmanager
async def open_gateway(
    settings: Settings, health: Health, schema: strawberry.Schema = our_schema
) -> AsyncIterator[Gateway]:
    """Opens everything in order, and closes it in reverse.

    Nothing here waits for a server: one that is away is used once it is back.
    """
    telemetry = Telemetry()
    telemetry.watch_host(source_names=settings.metrics_source_names)
    async with AsyncExitStack() as stack:
        opened = stack.enter_async_context
        database = await open_database(settings, telemetry, "gateway")
        stack.push_async_callback(database.close)
        redis = open_redis(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        health.checks = checks(database, redis)
        budgets = await opened(open_budgets(settings, database, telemetry))
        token_uses, authenticator = await opened(open_tokens(settings, database, telemetry))
        services, responses = await opened(
            open_services(settings, database, redis, budgets, telemetry)
        )
        record = services.intake.record
        own = await opened(recording(settings, record, utc_now, telemetry, health.version))
        await opened(sampling_host(settings, record, database, utc_now, telemetry))
        guard = RequestGuard(settings.rate_limit_enabled)
        sdks = await opened(open_sdks(settings, services, budgets, guard, telemetry))
        graphql = GraphQLService(
            persisted_documents(settings, schema, database, redis, telemetry).find,
            executor(settings, schema),
            partial(create_context, services),
            budgets,
            responses,
            Introspection.of(settings),
        )
        topics = await opened(open_topics(telemetry))
        yield Gateway(
            health,
            telemetry,
            EdgePolicy.of(settings),
            authenticator,
            budgets,
            token_uses,
            guard,
            services,
            graphql,
            LiveOperations(graphql, topics, own.on_crash),
            Pages.of(settings),
            sdks,
            own,
            DemoSignIn.of(settings),
            await opened(open_inbox(settings)),
        )
