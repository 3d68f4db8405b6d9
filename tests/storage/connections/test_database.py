"""The pool, compiled queries, and the errors raised when Postgres is slow or gone."""

import asyncio
import gc
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.engine import make_url

from gateway.embedded.postgres import EmbeddedPostgres
from storage.connections.database import Database, split_url
from storage.connections.query import SqlQuery, any_of
from storage.errors import Conflict, GatewayError, Overloaded, Timeout, Unavailable
from tests.servers import temporary_folder, with_options

pytestmark = pytest.mark.alone

NUMBERS = Table("numbers", MetaData(), Column("n", BigInteger), Column("word", Text))
ONE = SqlQuery("one", select(literal_column("1")))
SLEEP = SqlQuery("sleep", select(func.pg_sleep(bindparam("seconds"))))
END = SqlQuery("end", select(func.pg_terminate_backend(func.pg_backend_pid())))


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A Postgres for one test, which may stop it."""
    with temporary_folder() as folder:
        server = EmbeddedPostgres(folder, lambda _line: None, throw_away=True)
        server.start()
        yield server
        server.stop()


def kill(server: EmbeddedPostgres, how: signal.Signals = signal.SIGINT) -> None:
    os.kill(server.pid, how)
    deadline = time.monotonic() + 10
    while server.exit_code is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_query_keeps_defaults_and_refuses_wrong_names() -> None:
    least = bindparam("least", type_=BigInteger)
    columns = NUMBERS.c
    where = (columns.word == "fixed", columns.n > least, columns.n != least)
    query = SqlQuery("pick", select(columns.n).where(*where).limit(10))
    assert query.text.count("$2") == 2
    assert query.arguments({"least": 5}) == ["fixed", 5, 10]
    with pytest.raises(TypeError, match="least"):
        query.arguments({})
    with pytest.raises(TypeError, match="more"):
        query.arguments({"least": 5, "more": 6})


def test_query_refuses_an_in_list_whose_text_would_vary() -> None:
    with pytest.raises(TypeError, match="any_of"):
        SqlQuery("in", select(NUMBERS.c.n).where(NUMBERS.c.n.in_(bindparam("ns", expanding=True))))


async def test_fetch_takes_a_long_list_as_one_parameter(database: Database) -> None:
    ends = (cast(end, BigInteger) for end in (1, 1_000))
    number = func.generate_series(*ends, type_=BigInteger).column_valued("number")
    query = SqlQuery("long_list", select(func.count()).where(any_of(number, "ns")))
    rows = await database.fetch(query, ns=list(range(501, 50_000)))
    assert rows[0][0] == 500


async def test_json_travels_as_python_values(database: Database) -> None:
    async with database.connection() as connection:
        value = {"a": [1, "ü", None], "id": UUID(int=1)}
        echoed = await connection.fetchval("select $1::jsonb", value)
    assert echoed == {"a": [1, "ü", None], "id": str(UUID(int=1))}


async def test_sessions_are_in_utc(database: Database) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("show timezone") == "UTC"


async def test_fetch_reports_each_statement_by_name(database_url: str) -> None:
    seen: list[tuple[str, float]] = []
    database = await Database.open(
        database_url, on_statement=lambda *arguments: seen.append(arguments)
    )
    await database.fetch(ONE)
    await database.close()
    assert [name for name, _ in seen] == ["one"]
    assert 0 < seen[0][1] < 10


async def test_transaction_commits_and_rolls_back(own_database: Database) -> None:
    async with own_database.transaction() as connection:
        await connection.execute("create table kept (n int)")
        await connection.execute("insert into kept values (1)")
    with suppress(RuntimeError):
        async with own_database.transaction() as connection:
            await connection.execute("insert into kept values (2)")
            raise RuntimeError
    async with own_database.connection() as connection:
        assert await connection.fetchval("select array_agg(n) from kept") == [1]


async def test_wide_statement_is_prepared_once(own_database: Database) -> None:
    wide = "select " + ", ".join(f"$1::int + {n} as c{n}" for n in range(1600))
    wide += " /* " + "x" * 100_000 + " */"
    async with own_database.connection() as connection:
        prepared = "select count(*) from pg_prepared_statements where statement like $1"
        for _ in range(3):
            await connection.fetch(wide, 1)
        assert await connection.fetchval(prepared, "select $1::int + 0 as c0%") == 1
        times = "select generic_plans + custom_plans from pg_prepared_statements"
        assert await connection.fetchval(f"{times} where statement like $1", "%as c1599%") == 3


async def test_slow_statement_times_out(database_url: str) -> None:
    database = await Database.open(database_url, statement_timeout_seconds=0.2)
    with pytest.raises(Timeout):
        await database.fetch(SLEEP, seconds=20.0)
    with pytest.raises(Timeout):
        async with database.transaction() as connection:
            await connection.execute("select pg_sleep(20)")
    assert await database.fetch(ONE)
    await database.close()


async def test_long_transaction_may_be_allowed(database_url: str) -> None:
    database = await Database.open(database_url, statement_timeout_seconds=0.2)
    async with database.transaction(timeout_seconds=5) as connection:
        await connection.execute("select pg_sleep(0.4)")
    await database.close()


async def test_exhausted_pool_is_refused_in_time(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.connections.lending._CONNECT_TIMEOUT_SECONDS", 0.2)
    database = await Database.open(database_url, pool_size=1)
    async with database.connection():
        started = time.monotonic()
        with pytest.raises(Overloaded) as caught:
            await database.fetch(ONE)
        assert time.monotonic() - started < 2
    assert caught.value.message == "All connections to the database are in use"
    assert database.pool().refused == 1
    assert await database.fetch(ONE)
    await database.close()


async def test_cancelled_read_gives_its_connection_back(database_url: str) -> None:
    database = await Database.open(database_url, pool_size=1)
    reading = asyncio.create_task(database.fetch(SLEEP, seconds=20.0))
    await asyncio.sleep(0.1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await database.fetch(ONE)
    await database.close()


async def test_snapshot_cancelled_twice_gives_its_connection_back(database_url: str) -> None:
    database = await Database.open(database_url, pool_size=2)
    for attempt in range(100):
        beginning = asyncio.create_task(database.snapshot())
        await asyncio.sleep(attempt % 40 / 20_000)
        beginning.cancel()
        await asyncio.sleep(attempt % 7 / 10_000)
        beginning.cancel()
        with suppress(asyncio.CancelledError):
            (await beginning).release()
    async with database.connection() as one, database.connection() as other:
        assert not one.is_in_transaction()
        assert not other.is_in_transaction()
    await database.close()


async def test_snapshot_that_the_server_ends_is_released_quietly(database_url: str) -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, fault: faults.append(fault))
    database = await Database.open(database_url, pool_size=2)
    for _ in range(2):
        snapshot = await database.snapshot()
        with pytest.raises(Unavailable):
            await snapshot.fetch(END)
        snapshot.release()
    (await asyncio.wait_for(database.snapshot(), 10)).release()
    await database.close()
    gc.collect()
    assert faults == []


async def test_deadlock_is_a_conflict(own_database: Database) -> None:
    async with own_database.transaction() as connection:
        await connection.execute("create table pair as select n from generate_series(1, 2) n")

    async def lock(first: int, second: int) -> None:
        async with own_database.transaction() as connection:
            update = "update pair set n = n where n = $1"
            await connection.execute(update, first)
            await asyncio.sleep(0.2)
            await connection.execute(update, second)

    results = await asyncio.gather(lock(1, 2), lock(2, 1), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]
    assert all(result is None or isinstance(result, Conflict) for result in results)


async def test_faults_of_ours_are_not_translated(database: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        async with database.connection() as connection:
            await connection.fetch("select * from no_such_table")
    with pytest.raises(asyncpg.DataError):
        async with database.connection() as connection:
            await connection.fetch("select $1::int", "word")


async def test_refused_argument_leaves_nothing_running_for_the_next(database_url: str) -> None:
    database = await Database.open(database_url, pool_size=1, statement_timeout_seconds=0.3)
    with pytest.raises(asyncpg.DataError):
        async with database.connection() as connection:
            await connection.fetch("select $1::int", "word")
    await asyncio.sleep(0.5)
    assert await database.fetch(ONE)
    await database.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody:secret@127.0.0.1:1/none",
        "postgresql://nobody:secret@/none?host=/no/such/folder",
    ],
)
async def test_unreachable_server_is_unavailable_and_unnamed(url: str) -> None:
    database = await Database.open(url)
    with pytest.raises(Unavailable) as caught:
        await database.fetch(ONE)
    assert caught.value.retry_after_seconds > 0
    assert not any(word in str(caught.value) for word in ("127.0.0.1", "secret", "/no/such"))
    await database.close()


async def test_server_that_does_not_answer_makes_no_pool_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("storage.connections.lending._CONNECT_TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none"
        database = await Database.open(url, pool_size=1)
        reads = (database.fetch(ONE) for _ in range(3))
        failures = await asyncio.gather(*reads, return_exceptions=True)
        assert [type(failure) for failure in failures] == [Unavailable] * 3
        await database.close()


@pytest.mark.process
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_reads_survive_a_restart_of_the_server(
    server: EmbeddedPostgres, how: signal.Signals
) -> None:
    database = await Database.open(server.url(), pool_size=4)
    await asyncio.gather(*(database.fetch(SLEEP, seconds=0.05) for _ in range(4)))
    await asyncio.to_thread(kill, server, how)
    with pytest.raises(Unavailable):
        await database.fetch(ONE)
    await asyncio.to_thread(server.start)
    results = await asyncio.gather(*(database.fetch(ONE) for _ in range(8)))
    assert len(results) == 8
    await database.close()


@pytest.mark.process
async def test_connection_ended_by_the_server_is_replaced_unseen(
    server: EmbeddedPostgres,
) -> None:
    database = await Database.open(server.url(), pool_size=1)
    other = await Database.open(server.url(), pool_size=1, application_name="killer")
    reading = asyncio.create_task(database.fetch(SLEEP, seconds=0.5))
    await asyncio.sleep(0.2)
    async with other.connection() as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'gateway'"
        )
    assert await reading
    await database.close()
    await other.close()


@pytest.mark.process
async def test_write_cut_off_is_unavailable_and_not_repeated(server: EmbeddedPostgres) -> None:
    database = await Database.open(server.url(), pool_size=1)
    runs = 0

    async def write() -> None:
        nonlocal runs
        async with database.transaction() as connection:
            runs += 1
            await connection.execute("select 1")
            await asyncio.to_thread(kill, server, signal.SIGKILL)
            await connection.execute("select 1")

    with pytest.raises(Unavailable):
        await write()
    assert runs == 1
    await database.close()


async def test_too_many_connections_is_unavailable(
    own_database: Database, own_database_url: str
) -> None:
    name = make_url(own_database_url).database
    await own_database.fetch(ONE)
    async with own_database.transaction() as connection:
        await connection.execute(f"alter database {name} connection limit 1")
        await connection.execute("create role guest login password 'guest'")
    try:
        address = make_url(own_database_url).set(username="guest", password="guest")
        guest = await Database.open(address.render_as_string(hide_password=False))
        with pytest.raises(Unavailable, match="takes no more connections"):
            await guest.fetch(ONE)
        await guest.close()
    finally:
        async with own_database.transaction() as connection:
            await connection.execute("drop role guest")


async def test_statements_work_without_a_session_of_their_own(database_url: str) -> None:
    """As behind a pooler that gives each transaction another server connection."""
    database = await Database.open(
        with_options(database_url, prepared_statement_cache_size="0"),
        statement_timeout_seconds=0.3,
    )
    assert await database.fetch(ONE)
    async with database.connection() as connection:
        assert connection.is_in_transaction()
        kept = await connection.fetchval("select count(*) from pg_prepared_statements")
        assert kept == 0
        assert await connection.fetchval("show statement_timeout") == "0"
    async with database.transaction() as connection:
        assert await connection.fetchval("show statement_timeout") == "300ms"
    await database.close()


@pytest.mark.parametrize(
    ("url", "dsn", "options"),
    [
        ("postgresql://u:p@h:5/d", "postgresql://u:p@h:5/d", {}),
        ("postgresql+asyncpg://u@h/d?sslmode=require", "postgresql://u@h/d?sslmode=require", {}),
        (
            "postgres://u@/d?host=/tmp/x&prepared_statement_cache_size=0",
            "postgresql://u@/d?host=%2Ftmp%2Fx",
            {"prepared_statement_cache_size": "0"},
        ),
    ],
)
def test_split_url_takes_our_options_out(url: str, dsn: str, options: dict[str, str]) -> None:
    assert split_url(url) == (dsn, options)


def test_every_error_says_its_code_and_status() -> None:
    def tree(root: type[GatewayError]) -> Iterator[type[GatewayError]]:
        for child in root.__subclasses__():
            yield child
            yield from tree(child)

    for error in tree(GatewayError):
        assert error.code != "INTERNAL"
        assert 400 <= error.http_status < 600
