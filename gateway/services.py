"""Opens what lives as long as the process, and closes it in reverse."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from access.service_tokens import ServiceTokens
from access.token_uses import TokenUses
from analytics.answer import format_digest
from analytics.answer_cache import AnswerCache
from analytics.run import Analytics
from gateway.admission import Admission, rules_of
from gateway.config.retention import retention
from gateway.config.settings import Settings
from gateway.graphql.answers.responses import Responses
from gateway.graphql.documents.documents import Documents
from gateway.graphql.documents.persisted import PersistedDocuments, Trust, TrustedTexts
from gateway.observability.memory_watch import watch_backend_memory
from gateway.observability.pool_metrics import PoolCollector
from gateway.observability.telemetry import Telemetry
from ingest.intake import Intake, IntakeSettings
from resolvers.context import Services
from storage.buckets import Buckets
from storage.cache import Cache, SharedCache
from storage.connections.database import Database
from storage.dimensions import Dictionaries
from storage.feed.feed import Feed
from storage.feed.versions import Versions

REDIS_CONNECTIONS = 50
# Redis answers in well under a millisecond or is as good as away.
REDIS_TIMEOUT_SECONDS = 0.2
# A server that is gone refuses at once; this is for one that hangs, with room for a busy loop.
LIMITS_TIMEOUT_SECONDS = 1.0

LANES_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Opened:
    """The services for requests, and what health looks at beside them."""

    services: Services
    redis: Redis
    responses: Responses | None  # None where nothing is to be cached
    admission: Admission
    token_uses: TokenUses
    service_tokens: ServiceTokens


@asynccontextmanager
async def open_services(settings: Settings, telemetry: Telemetry) -> AsyncIterator[Opened]:
    """Nothing here waits for a server: what is away at the start is used once it is there."""
    async with AsyncExitStack() as stack:
        database = await open_database(settings, telemetry, "gateway")
        stack.push_async_callback(database.close)
        redis = open_redis(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        watching = asyncio.create_task(
            watch_backend_memory(database, telemetry.on_backend_memory), name="backend-memory"
        )
        stack.push_async_callback(cancelled, watching)
        # The follower of the change feed starts here and stops before the connections close.
        feed = Feed(database)
        feed.start()
        stack.push_async_callback(feed.stop)
        buckets = Buckets(
            open_redis(settings.redis_url, LIMITS_TIMEOUT_SECONDS),
            on_fallback=telemetry.on_limits_fallback,
        )
        stack.push_async_callback(buckets.close)
        limits = rules_of(settings)
        admission = Admission(limits, buckets, database, telemetry.on_admission)
        admission.start()
        stack.push_async_callback(admission.stop)
        token_uses = TokenUses(database, utc_now, on_lost=telemetry.on_audit_lost)
        token_uses.start()
        stack.push_async_callback(token_uses.stop)
        service_tokens = ServiceTokens(database, utc_now, time.monotonic)
        service_tokens.start()
        stack.push_async_callback(service_tokens.stop)
        dictionaries = Dictionaries(database)
        intake = Intake(
            database,
            dictionaries,
            utc_now,
            observer=telemetry.ingest,
            settings=IntakeSettings(retention=retention(settings)),
            refused_projects=admission.refused_projects,
        )
        await intake.start()
        # Requests have ended by then: what still waits in a lane, nobody waits for.
        stack.push_async_callback(intake.stop, LANES_SECONDS)
        answer_cache, responses = None, None
        if settings.analytics_cache_ttl:
            versions = Versions(database, time.monotonic)
            # Of this release's alone: another one may make answers of something else.
            name = f"answers-{version('deployment-analytics-gateway')}-{format_digest()}"
            shared = SharedCache(redis, time.monotonic, namespace=name)
            cache = Cache(shared, time.time, float(settings.analytics_cache_ttl))
            answer_cache = AnswerCache(cache, versions, telemetry.on_cache)
            stack.push_async_callback(answer_cache.settled)
            responses = Responses(versions, dictionaries, time.time, telemetry.on_response)
        analytics = Analytics(database, answer_cache, retention(settings), utc_now)
        key = cursor_key(settings.jwt_secrets[0])
        services = Services(database, dictionaries, analytics, intake, key, utc_now, limits, feed)
        yield Opened(services, redis, responses, admission, token_uses, service_tokens)


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def persisted_documents(
    opened: Opened, documents: Documents, settings: Settings, telemetry: Telemetry
) -> PersistedDocuments:
    return PersistedDocuments(
        documents,
        SharedCache(opened.redis, time.monotonic, namespace="documents"),
        TrustedTexts(opened.services.database, time.monotonic),
        Trust(settings.trusted_documents),
        time.time,
        telemetry.on_untrusted,
    )


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


def open_redis(url: str, timeout_seconds: float = REDIS_TIMEOUT_SECONDS) -> Redis:
    """A client that waits for a connection rather than failing, and never retries by itself."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=REDIS_CONNECTIONS,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)


def cursor_key(secret: str) -> bytes:
    """Signs cursors: the same in every process that knows the secret, and of no other use."""
    return hashlib.sha256(b"cursors:" + secret.encode()).digest()


def utc_now() -> datetime:
    return datetime.now(UTC)
