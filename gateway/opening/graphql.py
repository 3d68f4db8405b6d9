"""Opens what answers operations: documents, executor, contexts and the topics of subscriptions."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import strawberry
from redis.asyncio import Redis

from gateway.config.settings import Settings
from gateway.graphql.documents.documents import Documents
from gateway.graphql.documents.persisted import PersistedDocuments, Trust, TrustedTexts
from gateway.graphql.execution.compiled import compiled_executor
from gateway.graphql.execution.counting import CountingExecutor
from gateway.graphql.execution.executor import Executor
from gateway.graphql.live.topics import Topics
from gateway.http.exchange import Exchange
from gateway.observability.telemetry import Telemetry
from resolvers.context import Context, Services
from schema.internals import core
from storage.cache import SharedCache
from storage.connections.database import Database


@asynccontextmanager
async def open_topics(telemetry: Telemetry) -> AsyncIterator[Topics]:
    topics = Topics(telemetry.on_topics)
    telemetry.watch_live_waiting(lambda: topics.fan_out.waiting_bytes)
    try:
        yield topics
    finally:
        await topics.stop()


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
