"""Opens the services that resolvers use: intake, analytics and their caches."""

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from redis.asyncio import Redis

from access.budgets import Budgets
from access.sealing import Seals
from analytics.answer import format_digest
from analytics.answer_cache import AnswerCache
from analytics.run import Analytics
from gateway.config.rate_limits import default_rules
from gateway.config.retention import retention
from gateway.config.settings import Settings
from gateway.graphql.answers.response_cache import ResponseCache
from gateway.observability.mlflow import writing_model_calls
from gateway.observability.telemetry import Telemetry
from gateway.opening.database import utc_now
from gateway.opening.outside import open_outside
from ingest.intake import Intake
from resolvers.context import Services
from storage.background import running
from storage.cache import Cache, SharedCache
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.feed.feed import Feed
from storage.feed.versions import Versions

PACKAGE = "deployment-analytics-gateway"
LANES_SECONDS = 2.0


@asynccontextmanager
async def open_services(
    settings: Settings, database: Database, redis: Redis, budgets: Budgets, telemetry: Telemetry
) -> AsyncIterator[tuple[Services, ResponseCache | None]]:
    """The services, and the cache of whole responses if there is one."""
    async with AsyncExitStack() as stack:
        feed, dictionaries = Feed(database), Dictionaries(database)
        await stack.enter_async_context(running(feed.follow(), "feed"))
        answers, responses = caches(settings, database, redis, dictionaries, telemetry)
        if answers is not None:
            stack.push_async_callback(answers.settled)
        on_new = await stack.enter_async_context(writing_model_calls(settings, telemetry))
        intake = Intake(
            database,
            dictionaries,
            utc_now,
            observer=telemetry.ingest,
            retention=retention(settings),
            refused_projects=budgets.refused_projects,
            unrecorded_facts=() if settings.error_tracking_enabled else (ERROR_OCCURRENCES,),
            on_accepted=responses.wrote if responses else None,
            on_new=on_new,
        )
        await stack.enter_async_context(started(intake))
        services = Services(
            database,
            dictionaries,
            Analytics(database, answers, retention(settings), utc_now),
            intake,
            cursor_key(settings.jwt_secrets[0]),
            utc_now,
            default_rules(settings),
            feed,
            settings.archive_dir,
            settings.public_url,
            open_outside(settings),
            Seals(settings.jwt_secrets),
        )
        yield services, responses


@asynccontextmanager
async def started(intake: Intake) -> AsyncIterator[None]:
    await intake.start()
    try:
        yield
    finally:
        # Requests have ended by then, so nobody waits for the events left in a lane.
        await intake.stop(LANES_SECONDS)


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


def cursor_key(secret: str) -> bytes:
    """Signs cursors: the same in every process that knows the secret, and of no other use."""
    return hashlib.sha256(b"cursors:" + secret.encode()).digest()
