"""The way to Postgres: one pool of raw connections."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import orjson

from storage.connections.failures import Translated, lost_connection, unfit_text
from storage.connections.lending import Lending, PoolState
from storage.connections.query import Query
from storage.connections.snapshot import BEGIN, Snapshot
from storage.errors import InvalidInput, Overloaded, Timeout, Unavailable

_CONNECT_TIMEOUT_SECONDS = 5.0
_CLOSE_TIMEOUT_SECONDS = 5.0
_SETTLE_TIMEOUT_SECONDS = 1.0
# The server gives up first, so that its own message arrives; this is for a server that hangs.
_CLIENT_MARGIN_SECONDS = 2.0
# Each backend of Postgres keeps the plan of each statement that is prepared, about a megabyte for
# one that reads histograms, and a description of each table it has touched. Few statements and a
# new backend after so many queries keep it below 80 MB.
_PREPARED_STATEMENTS = 30
_QUERIES_PER_CONNECTION = 20_000
# The roll-up statement is about 100 KB; the driver's default never caches one over 15 KB.
_CACHEABLE_STATEMENT_BYTES = 4 * 1024 * 1024

# One pooled asyncpg connection. The driver ships no types.
Connection = Any

_Result = TypeVar("_Result")


class Database:
    """A bounded pool. Statements, waiting for a connection and connecting all end in time."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        statement_timeout_seconds: float,
        on_statement: Callable[[str, float], None] | None,
        shared_sessions: bool,
    ) -> None:
        self._lending = Lending(pool)
        self._timeout_seconds = statement_timeout_seconds
        self._on_statement = on_statement
        # A pooler in transaction mode may serve each statement from another session.
        self._shared_sessions = shared_sessions
        # Who holds a snapshot may need a second connection for a list. With half of the pool for
        # snapshots, never do all connections wait for one another.
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
        """Make the pool. Nothing connects yet: a database that is down is found out in use."""
        dsn, options = split_url(url)
        shared_sessions = options.get("prepared_statement_cache_size") == "0"
        settings = {"application_name": application_name, "timezone": "UTC"}
        if not shared_sessions:  # a pooler refuses start-up settings it does not know
            settings |= {
                "statement_timeout": str(round(statement_timeout_seconds * 1000)),
                "idle_in_transaction_session_timeout": "60000",
                "jit": "off",  # compiling a 160 column sum takes longer than running it
                "max_parallel_workers_per_gather": "0",  # starting them takes longer than a read
                # Planning a wide statement anew takes longer than running it; our shapes are fixed.
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
        return cls(
            pool,
            statement_timeout_seconds=statement_timeout_seconds,
            on_statement=on_statement,
            shared_sessions=shared_sessions,
        )

    async def close(self) -> None:
        await self._lending.close(_CLOSE_TIMEOUT_SECONDS)

    def pool(self) -> PoolState:
        """How many connections are in use, and how long requests wait for one."""
        return self._lending.state()

    async def fetch(self, query: Query, **parameters: Any) -> list[asyncpg.Record]:
        """Run one short read on a connection of its own."""
        return await self._observed(query, parameters, self._read)

    async def snapshot(self) -> Snapshot:
        """Begin a snapshot; whoever takes it releases it. At most half of the pool is in them."""
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
        connection, healthy = await self._acquire(), False
        try:
            with Translated():
                await connection.execute(BEGIN)
            healthy = True
            return connection
        except BaseException:
            await _settle(connection)
            raise
        finally:
            if not healthy:  # whoever is cancelled may be so again while this settles
                await self._lending.release(connection, healthy=False)

    async def _run(
        self, connection: Connection, query: Query, parameters: Mapping[str, Any]
    ) -> list[asyncpg.Record]:
        async def read(query: Query, arguments: list[Any]) -> list[asyncpg.Record]:
            with Translated():
                return await self._rows(connection, query, arguments)

        return await self._observed(query, parameters, read)

    async def _end(self, connection: Connection, healthy: bool) -> None:
        self._snapshots.release()
        await self._lending.release(connection, healthy=healthy)

    async def _observed(
        self,
        query: Query,
        parameters: Mapping[str, Any],
        read: Callable[[Query, list[Any]], Awaitable[list[asyncpg.Record]]],
    ) -> list[asyncpg.Record]:
        arguments = query.arguments(parameters)
        started = time.perf_counter()
        try:
            return await read(query, arguments)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if unfit_text(error):
                raise InvalidInput("A text holds characters that no text can hold.") from error
            raise
        finally:
            if self._on_statement is not None:
                self._on_statement(query.name, time.perf_counter() - started)

    async def _read(self, query: Query, arguments: list[Any]) -> list[asyncpg.Record]:
        return await self._again_if_lost(lambda: self._read_once(query, arguments))

    async def _again_if_lost(self, read: Callable[[], Awaitable[_Result]]) -> _Result:
        """A read may go again where the pooled connection was older than the server's restart."""
        try:
            return await read()
        except Unavailable as error:
            if not lost_connection(error.__cause__):
                raise
        await self._lending.expire()
        return await read()

    async def _read_once(self, query: Query, arguments: list[Any]) -> list[asyncpg.Record]:
        if self._shared_sessions:
            async with self.connection() as connection:
                return await self._rows(connection, query, arguments)
        # As `connection` does, without its nested context managers: every read comes this way.
        connection, healthy = await self._acquire(), False
        try:
            with Translated():
                rows = await self._rows(connection, query, arguments)
            healthy = True
            return rows
        except BaseException:
            await _settle(connection)
            raise
        finally:
            await self._lending.release(connection, healthy=healthy)

    async def _rows(
        self, connection: Connection, query: Query, arguments: list[Any]
    ) -> list[asyncpg.Record]:
        timeout = self._timeout_seconds + _CLIENT_MARGIN_SECONDS
        rows: list[asyncpg.Record] = await connection.fetch(
            query.text, *arguments, timeout=timeout, record_class=query.record
        )
        return rows

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A raw connection in autocommit, for reads; write inside `transaction`."""
        async with self._acquired() as connection:
            if self._shared_sessions:
                async with connection.transaction():
                    yield connection
            else:
                yield connection

    @asynccontextmanager
    async def transaction(
        self, *, timeout_seconds: float | None = None
    ) -> AsyncIterator[Connection]:
        """BEGIN … COMMIT in READ COMMITTED; `timeout_seconds` bounds the whole of it.

        A lost connection or `Conflict` means: nothing is known to be committed, send it again.
        """
        limit_seconds = timeout_seconds or 3 * self._timeout_seconds
        with Translated():
            async with asyncio.timeout(limit_seconds + _CLIENT_MARGIN_SECONDS):
                async with self._acquired() as connection, connection.transaction():
                    if timeout_seconds is not None or self._shared_sessions:
                        limit_ms = round((timeout_seconds or self._timeout_seconds) * 1000)
                        await connection.execute(f"SET LOCAL statement_timeout = {limit_ms}")
                    yield connection

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[Connection]:
        connection, healthy = await self._acquire(), False
        try:
            with Translated():
                yield connection
            healthy = True
        except BaseException:
            await _settle(connection)
            raise
        finally:
            await self._lending.release(connection, healthy=healthy)

    async def _acquire(self) -> Connection:
        try:
            with Translated():
                return await self._lending.acquire()
        except (Timeout, OSError) as error:
            raise Unavailable("The database cannot be reached") from error


async def _prepare_connection(connection: Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=_encode_json,
            decoder=orjson.loads,
            format="text",
        )


async def _settle(connection: Connection) -> None:
    """End what the driver may have left half done.

    Where a statement was prepared and then not run, for its arguments or because nobody waits any
    more, the server's statement timeout goes on and would hit whoever has the connection next.
    """
    with suppress(asyncpg.InterfaceError):  # it is closed already
        try:
            await connection.execute("select 1", timeout=_SETTLE_TIMEOUT_SECONDS)
        except (TimeoutError, OSError, asyncpg.PostgresError):
            connection.terminate()


def _encode_json(value: Any) -> str:
    return orjson.dumps(value).decode()


async def _leave_as_is(_connection: Connection) -> None:
    """Nothing sets session state, so the driver's reset round trip is saved."""


def split_url(url: str) -> tuple[str, dict[str, str]]:
    """The driver's own form of a database URL, and the options in it that are for us."""
    parts = urlsplit(url)
    ours = ("prepared_statement_cache_size", "connect_timeout")
    query = parse_qsl(parts.query, keep_blank_values=True)
    options = {name: value for name, value in query if name in ours}
    rest = urlencode([(name, value) for name, value in query if name not in ours])
    return urlunsplit(("postgresql", parts.netloc, parts.path, rest, "")), options
