"""`Gateway`: the services that live as long as the process, opened and closed in order."""

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import strawberry
import structlog
from redis.asyncio import Redis

from access.budgets import Budgets
from access.limits import Rules
from access.token_uses import TokenUses
from analytics.answer import format_digest
from analytics.answer_cache import AnswerCache
from analytics.run import Analytics
from gateway.authentication import open_tokens
from gateway.config.edge_policy import EdgePolicy
from gateway.config.rate_limits import default_rules
from gateway.config.retention import retention
from gateway.config.settings import Settings
from gateway.graphql.answers.response_cache import ResponseCache
from gateway.graphql.documents.documents import Documents
from gateway.graphql.documents.persisted import PersistedDocuments, Trust, TrustedTexts
from gateway.graphql.execution.compiled import compiled_executor
from gateway.graphql.execution.counting import CountingExecutor
from gateway.graphql.execution.executor import Executor
from gateway.graphql.introspection import Introspection
from gateway.graphql.live.operations import LiveOperations
from gateway.graphql.live.topics import Topics
from gateway.graphql.service import GraphQLService
from gateway.http.exchange import Exchange
from gateway.http.tokens import Authenticator
from gateway.observability.health import Health, checks
from gateway.observability.host_samples import sampling_host
from gateway.observability.own_events import OwnEvents, recording
from gateway.observability.pool_metrics import PoolCollector
from gateway.observability.telemetry import Telemetry
from gateway.rest.guard import RequestGuard
from gateway.rest.sentry import SentryReceiver
from gateway.sdks import open_sdks
from ingest.intake import Intake
from resolvers.context import Context, Services
from schema import schema as our_schema
from schema.internals import core
from storage.background import running
from storage.buckets import Buckets
from storage.cache import Cache, SharedCache
from storage.connections.database import Database
from storage.connections.redis import open_redis
from storage.dictionaries import Dictionaries
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.feed.feed import Feed
from storage.feed.versions import Versions

PACKAGE = "deployment-analytics-gateway"
# A server that is gone refuses at once; this is for one that hangs, with room for a busy loop.
LIMITS_TIMEOUT_SECONDS = 1.0
LANES_SECONDS = 2.0

log = structlog.get_logger(component="app")


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
    has_page: bool  # whether GET /graphql answers browsers with GraphiQL
    sdks: SentryReceiver
    own: OwnEvents = field(default_factory=OwnEvents)


@asynccontextmanager
async def open_gateway(
    settings: Settings, health: Health, schema: strawberry.Schema = our_schema
) -> AsyncIterator[Gateway]:
    """Opens everything in order, and closes it in reverse.

    Nothing here waits for a server: one that is away is used once it is back.
    """
    telemetry = Telemetry()
    async with AsyncExitStack() as stack:
        database = await open_database(settings, telemetry, "gateway")
        stack.push_async_callback(database.close)
        redis = open_redis(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        health.checks = checks(database, redis)
        feed, limits = Feed(database), default_rules(settings)
        await stack.enter_async_context(running(feed.follow(), "feed"))
        counted = open_budgets(settings, limits, database, telemetry)
        budgets = await stack.enter_async_context(counted)
        tokens = open_tokens(settings, database, utc_now, telemetry)
        token_uses, authenticator = await stack.enter_async_context(tokens)
        dictionaries = Dictionaries(database)
        answers, responses = caches(settings, database, redis, dictionaries, telemetry)
        if answers is not None:
            stack.push_async_callback(answers.settled)
        intake = Intake(
            database,
            dictionaries,
            utc_now,
            observer=telemetry.ingest,
            retention=retention(settings),
            refused_projects=budgets.refused_projects,
            unrecorded_facts=() if settings.error_tracking_enabled else (ERROR_OCCURRENCES,),
            on_accepted=responses.wrote if responses else None,
        )
        await stack.enter_async_context(started(intake))
        recorded = recording(settings, intake.record, utc_now, telemetry, health.version)
        own = await stack.enter_async_context(recorded)
        sampled = sampling_host(settings, intake.record, database, utc_now, telemetry)
        await stack.enter_async_context(sampled)
        sdk_services = open_sdks(settings, database, intake, budgets, telemetry)
        sdks = await stack.enter_async_context(sdk_services)
        analytics = Analytics(database, answers, retention(settings), utc_now)
        key, url = cursor_key(settings.jwt_secrets[0]), settings.public_url
        services = Services(
            database,
            dictionaries,
            analytics,
            intake,
            key,
            utc_now,
            limits,
            feed,
            settings.archive_dir,
            url,
        )
        graphql = GraphQLService(
            persisted_documents(settings, schema, database, redis, telemetry).find,
            executor(settings, schema),
            partial(create_context, services),
            budgets,
            responses,
            Introspection.of(settings),
        )
        topics = await stack.enter_async_context(open_topics(telemetry))
        yield Gateway(
            health,
            telemetry,
            EdgePolicy.of(settings),
            authenticator,
            budgets,
            token_uses,
            RequestGuard(settings.rate_limit_enabled),
            services,
            graphql,
            LiveOperations(graphql, topics, own.on_crash),
            serves_page(settings),
            sdks,
            own,
        )


@asynccontextmanager
async def started(intake: Intake) -> AsyncIterator[None]:
    await intake.start()
    try:
        yield
    finally:
        # Requests have ended by then, so nobody waits for the events left in a lane.
        await intake.stop(LANES_SECONDS)


@asynccontextmanager
async def open_topics(telemetry: Telemetry) -> AsyncIterator[Topics]:
    topics = Topics(telemetry.on_topics)
    telemetry.watch_live_waiting(lambda: topics.fan_out.waiting_bytes)
    try:
        yield topics
    finally:
        await topics.stop()


@asynccontextmanager
async def open_budgets(
    settings: Settings, limits: Rules, database: Database, telemetry: Telemetry
) -> AsyncIterator[Budgets]:
    redis = open_redis(settings.redis_url, LIMITS_TIMEOUT_SECONDS)
    buckets = Buckets(redis, on_fallback=telemetry.on_limits_fallback)
    budgets = Budgets(limits, buckets, database, telemetry.on_admission)
    try:
        async with running(budgets.follow(), "rate-limits"):
            yield budgets
    finally:
        await buckets.close()


def caches(
    settings: Settings,
    database: Database,
    redis: Redis,
    dictionaries: Dictionaries,
    telemetry: Telemetry,
) -> tuple[AnswerCache, ResponseCache] | tuple[None, None]:
    """The caches of aggregates and of whole responses; none where ANALYTICS_CACHE_TTL is 0.

    Another release may compute other aggregates, so each has a namespace of its own.
    """
    if not settings.analytics_cache_ttl:
        return None, None
    versions = Versions(database, time.monotonic)
    namespace = f"answers-{version(PACKAGE)}-{format_digest()}"
    shared = SharedCache(redis, time.monotonic, namespace=namespace)
    cache = Cache(shared, time.time, float(settings.analytics_cache_ttl))
    answers = AnswerCache(cache, versions, telemetry.on_cache)
    return answers, ResponseCache(versions, dictionaries, time.time, telemetry.on_response)


def persisted_documents(
    settings: Settings,
    schema: strawberry.Schema,
    database: Database,
    redis: Redis,
    telemetry: Telemetry,
) -> PersistedDocuments:
    documents = Documents(
        core(schema),
        hide_suggestions=settings.environment != "demo",
        on_lookup=telemetry.on_document,
    )
    return PersistedDocuments(
        documents,
        SharedCache(redis, time.monotonic, namespace="documents"),
        TrustedTexts(database, time.monotonic),
        Trust(settings.trusted_documents),
        time.time,
        telemetry.on_untrusted,
    )


async def create_context(services: Services, exchange: Exchange) -> Context:
    """The context of one operation; the exchange sees the aggregates that it loads."""
    viewer = exchange.required_viewer()
    context = await Context.create(
        services, viewer, exchange.request_id, exchange.address, exchange.base_url
    )
    exchange.answers = context.loaders.answered
    return context


def executor(settings: Settings, schema: strawberry.Schema) -> Executor:
    return Executor(
        schema,
        hide_suggestions=settings.environment != "demo",
        executor_class=compiled_executor() if settings.graphql_compiled else CountingExecutor,
    )


def serves_page(settings: Settings) -> bool:
    if settings.graphiql == "auto":
        return settings.environment == "demo"
    return settings.graphiql == "on"


async def open_database(settings: Settings, telemetry: Telemetry, name: str) -> Database:
    database = await Database.open(
        settings.database_url,
        pool_size=settings.database_pool_size,
        statement_timeout_seconds=settings.statement_timeout_seconds,
        application_name=name,
        on_statement=telemetry.on_statement,
    )
    telemetry.registry.register(PoolCollector(database.pool))
    return database


def cursor_key(secret: str) -> bytes:
    """Signs cursors: the same in every process that knows the secret, and of no other use."""
    return hashlib.sha256(b"cursors:" + secret.encode()).digest()


def utc_now() -> datetime:
    return datetime.now(UTC)
