"""Postgres: one pool of raw connections, through which all statements go."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from functools import partial
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import orjson

from storage.connections.failures import Translated, lost_connection, unfit_text
from storage.connections.lending import Connection, Lending, PoolState
from storage.connections.query import SqlQuery
from storage.connections.snapshot import BEGIN, Snapshot
from storage.errors import InvalidInput, Overloaded, Unavailable

__all__ = ["Connection", "Database"]

_CONNECT_TIMEOUT_SECONDS = 5.0
_CLOSE_TIMEOUT_SECONDS = 5.0
# The server times out first, so that its own message arrives; this is for a server that hangs.
_CLIENT_MARGIN_SECONDS = 2.0
# A Postgres backend keeps the plan of each prepared statement (about 1 MB if it reads histograms)
# and a description of each table it has touched. These two limits keep a backend below 80 MB.
_PREPARED_STATEMENTS = 30
_QUERIES_PER_CONNECTION = 20_000
# The roll-up statement is about 100 KB; the driver's default never caches one over 15 KB.
_CACHEABLE_STATEMENT_BYTES = 4 * 1024 * 1024

_Result = TypeVar("_Result")


class Database:
    """A bounded pool. Statements, connecting and waits for a connection have time limits."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        timeout_seconds: float,
        on_statement: Callable[[str, float], None] | None,
        shared_sessions: bool,
    ) -> None:
        self._lending = Lending(pool)
        self._timeout_seconds = timeout_seconds
        self._on_statement = on_statement
        # A pooler in transaction mode may serve each statement from another session.
        self._shared_sessions = shared_sessions
        # The holder of a snapshot may need a second connection for a list. Snapshots take at most
        # half of the pool, so these can never all wait for one another.
        self._snapshots = asyncio.Semaphore(max(1, pool.get_max_size() // 2))

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        pool_size: int = 10,
        statement_timeout_seconds: float = 10.0,
        application_name: str = "gateway",
        on_statement: Callable[[str, float], None] | None = None,
    ) -> Self:
        """Make the pool. It connects on first use, so this succeeds while the database is down."""
        dsn, options = split_url(url)
        shared_sessions = options.get("prepared_statement_cache_size") == "0"
        settings = {"application_name": application_name, "timezone": "UTC"}
        if not shared_sessions:  # a pooler refuses start-up settings it does not know
            settings |= {
                "statement_timeout": str(round(statement_timeout_seconds * 1000)),
                "idle_in_transaction_session_timeout": "60000",
                "jit": "off",  # compiling a 160 column sum takes longer than running it
                "max_parallel_workers_per_gather": "0",  # starting them takes longer than a read
                # Planning a wide statement takes longer than running it, and statements are fixed.
                "plan_cache_mode": "force_generic_plan",
            }
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=pool_size,
            max_queries=_QUERIES_PER_CONNECTION,
            init=_prepare_connection,
            reset=_leave_as_is,
            timeout=float(options.get("connect_timeout", _CONNECT_TIMEOUT_SECONDS)),
            statement_cache_size=int(
                options.get("prepared_statement_cache_size", _PREPARED_STATEMENTS)
            ),
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=_CACHEABLE_STATEMENT_BYTES,
            server_settings=settings,
        )
        return cls(pool, statement_timeout_seconds, on_statement, shared_sessions)

    async def close(self) -> None:
        await self._lending.close(_CLOSE_TIMEOUT_SECONDS)

    def pool(self) -> PoolState:
        """The pool's connections and waits at this moment."""
        return self._lending.state()

    async def fetch(self, query: SqlQuery, **parameters: Any) -> list[asyncpg.Record]:
        """Run one short read on its own connection."""
        read = partial(self._again_if_lost, self._read)
        return await self._observed(query, parameters, read)

    async def snapshot(self) -> Snapshot:
        """Begin a snapshot, which the caller must release. They take at most half of the pool."""
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_SECONDS):
                await self._snapshots.acquire()
        except TimeoutError as error:
            raise Overloaded("All connections to the database are in use") from error
        try:
            connection = await self._again_if_lost(self._begin)
        except BaseException:
            self._snapshots.release()
            raise
        return Snapshot(connection, self._run, self._end)

    async def _begin(self) -> Connection:
        with Translated():
            async with AsyncExitStack() as stack:
                connection = await stack.enter_async_context(self._lending.borrowed())
                await connection.execute(BEGIN)
                stack.pop_all()  # the snapshot returns the connection when it ends
                return connection

    async def _run(
        self, connection: Connection, query: SqlQuery, parameters: Mapping[str, Any]
    ) -> list[asyncpg.Record]:
        with Translated():
            return await self._observed(query, parameters, partial(self._rows, connection))

    async def _end(self, connection: Connection, healthy: bool) -> None:
        self._snapshots.release()
        await self._lending.release(connection, healthy=healthy)

    async def _observed(
        self,
        query: SqlQuery,
        parameters: Mapping[str, Any],
        read: Callable[[SqlQuery, list[Any]], Awaitable[list[asyncpg.Record]]],
    ) -> list[asyncpg.Record]:
        arguments = query.arguments(parameters)
        started = time.perf_counter()
        try:
            return await read(query, arguments)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if unfit_text(error):
                message = "A text holds a NUL character or a lone surrogate: remove it."
                raise InvalidInput(message) from error
            raise
        finally:
            if self._on_statement is not None:
                self._on_statement(query.name, time.perf_counter() - started)

    async def _again_if_lost(
        self, read: Callable[..., Awaitable[_Result]], *arguments: Any
    ) -> _Result:
        """Repeat a read once if its pooled connection was lost, as by a restart of the server."""
        try:
            return await read(*arguments)
        except Unavailable as error:
            if not lost_connection(error.__cause__):
                raise
        await self._lending.expire()
        return await read(*arguments)

    async def _read(self, query: SqlQuery, arguments: list[Any]) -> list[asyncpg.Record]:
        # As `connection` does, without its generator, which would slow every read.
        with Translated():
            async with self._lending.borrowed() as connection, self._one_session(connection):
                return await self._rows(connection, query, arguments)

    async def _rows(
        self, connection: Connection, query: SqlQuery, arguments: list[Any]
    ) -> list[asyncpg.Record]:
        timeout = self._timeout_seconds + _CLIENT_MARGIN_SECONDS
        rows: list[asyncpg.Record] = await connection.fetch(query.text, *arguments, timeout=timeout)
        return rows

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A raw connection in autocommit, for reads; write inside `transaction`."""
        with Translated():
            async with self._lending.borrowed() as connection, self._one_session(connection):
                yield connection

    def _one_session(self, connection: Connection) -> AbstractAsyncContextManager[Any]:
        """A transaction where a pooler would otherwise serve each statement from any session."""
        return connection.transaction() if self._shared_sessions else nullcontext()

    @asynccontextmanager
    async def transaction(
        self, *, timeout_seconds: float | None = None
    ) -> AsyncIterator[Connection]:
        """BEGIN … COMMIT in READ COMMITTED, within `timeout_seconds` in all.

        After a lost connection or a `Conflict` it is unknown whether anything was committed, so
        send the same transaction again.
        """
        limit_seconds = timeout_seconds or 3 * self._timeout_seconds
        with Translated():
            async with asyncio.timeout(limit_seconds + _CLIENT_MARGIN_SECONDS):
                async with self._lending.borrowed() as connection, connection.transaction():
                    if timeout_seconds is not None or self._shared_sessions:
                        limit_ms = round((timeout_seconds or self._timeout_seconds) * 1000)
                        await connection.execute(f"SET LOCAL statement_timeout = {limit_ms}")
                    yield connection


async def _prepare_connection(connection: Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=_encode_json,
            decoder=orjson.loads,
            format="text",
        )


def _encode_json(value: Any) -> str:
    return orjson.dumps(value).decode()


async def _leave_as_is(_connection: Connection) -> None:
    """Replaces the driver's reset, to save a round trip: no code sets session state."""


def split_url(url: str) -> tuple[str, dict[str, str]]:
    """Split a database URL into the driver's URL and the options for this class."""
    parts = urlsplit(url)
    ours = ("prepared_statement_cache_size", "connect_timeout")
    query = parse_qsl(parts.query, keep_blank_values=True)
    options = {name: value for name, value in query if name in ours}
    rest = urlencode([(name, value) for name, value in query if name not in ours])
    return urlunsplit(("postgresql", parts.netloc, parts.path, rest, "")), options
