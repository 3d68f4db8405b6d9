"""Embedded servers start from nothing, recover from crashes, and end with their parent."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from gateway.embedded.folders import MAX_SOCKET_FOLDER_BYTES, data_folder_lock
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.processes import EmbeddedServerError, command_line, running
from gateway.embedded.redis import EmbeddedRedis
from tests.servers import temporary_folder

pytestmark = pytest.mark.process


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


def postgres(folder: Path, say: Callable[[str], None] = lambda _line: None) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, say, throw_away=True)


def ask(url: str, statement: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def gone(pid: int) -> bool:
    """Whether the process has ended; a zombie has no command line either."""
    return not command_line(pid)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.02)


def kill(server: EmbeddedPostgres | EmbeddedRedis) -> None:
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: server.exit_code == -signal.SIGKILL)


def test_postgres_keeps_its_data_over_a_restart(folder: Path) -> None:
    with running(postgres(folder)) as server:
        ask(server.url(), "create table kept (value int)")
        ask(server.url(), "insert into kept values (7)")
    with running(postgres(folder)) as server:
        assert ask(server.url(), "select value from kept") == 7
        assert ask(server.url(), "show jit") == "off"
        assert ask(server.url(), "show synchronous_commit") == "on"


def test_postgres_runs_on_a_long_path_with_odd_characters(folder: Path) -> None:
    deep = folder / "a b&c%20#d" / ("x" * MAX_SOCKET_FOLDER_BYTES)
    deep.mkdir(parents=True)
    with running(postgres(deep)) as server, running(EmbeddedRedis(deep)) as cache:
        assert ask(server.url(), "select 1") == 1
        with redis.Redis.from_url(cache.url) as client:
            assert client.ping()


def test_killed_postgres_starts_again_with_everything_committed(folder: Path) -> None:
    with running(postgres(folder)) as server:
        ask(server.url(), "create table kept (value int)")
        ask(server.url(), "insert into kept values (7)")
        kill(server)
        server.start()
        assert ask(server.url(), "select value from kept") == 7


def test_interrupted_set_up_is_done_again(folder: Path) -> None:
    draft = folder / "postgres.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    lines: list[str] = []
    with running(postgres(folder, lines.append)) as server:
        assert ask(server.url(), "select 1") == 1
    assert "interrupted" in " ".join(lines)
    assert not draft.exists()


def test_incomplete_folder_is_set_aside_not_deleted(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres" / "half").write_text("data")
    lines: list[str] = []
    with running(postgres(folder, lines.append)) as server:
        assert ask(server.url(), "select 1") == 1
    assert "not a complete Postgres folder" in " ".join(lines)
    [aside] = folder.glob("postgres.incomplete-*")
    assert (aside / "half").read_text() == "data"


def test_lock_file_with_a_reused_process_number_is_removed(folder: Path) -> None:
    with running(postgres(folder)):
        pass
    # The number is in use again: by this process, which is not a Postgres.
    (folder / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder}\n")
    lines: list[str] = []
    with running(postgres(folder, lines.append)) as server:
        assert ask(server.url(), "select 1") == 1
    assert "lock file" in " ".join(lines)


def test_broken_lock_file_is_removed(folder: Path) -> None:
    with running(postgres(folder)):
        pass
    (folder / "postgres" / "postmaster.pid").write_text("")
    with running(postgres(folder)) as server:
        assert ask(server.url(), "select 1") == 1


STARTER = """
import sys, time
from pathlib import Path
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.redis import EmbeddedRedis
folder = Path(sys.argv[1])
postgres, cache = EmbeddedPostgres(folder, print, throw_away=True), EmbeddedRedis(folder)
postgres.start()
cache.start()
print(postgres.pid, cache.pid, flush=True)
time.sleep(60)
"""


def test_servers_end_with_a_killed_parent(folder: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent, parent.stdout:
        pids = [0]
        for line in parent.stdout:
            if line[0].isdigit():
                pids = [int(pid) for pid in line.split()]
                break
        assert not any(gone(pid) for pid in pids)
        parent.kill()
    wait_until(lambda: all(gone(pid) for pid in pids))
    with running(postgres(folder)) as server:
        assert ask(server.url(), "select 1") == 1


def test_redis_evicts_the_least_recently_used_and_saves_nothing(folder: Path) -> None:
    with running(EmbeddedRedis(folder)) as server, redis.Redis.from_url(server.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}
        assert client.config_get("save") == {"save": ""}


def test_killed_redis_starts_again_at_the_same_address(folder: Path) -> None:
    with running(EmbeddedRedis(folder)) as server:
        before = server.url
        kill(server)
        server.start()
        assert server.url == before
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()


def test_second_holder_of_a_data_folder_is_refused_with_the_first(folder: Path) -> None:
    with (
        data_folder_lock(folder, "http://localhost:8123"),
        pytest.raises(EmbeddedServerError, match="already runs") as refused,
        data_folder_lock(folder, "http://localhost:8124"),
    ):
        pass
    assert f"process {os.getpid()}, http://localhost:8123" in str(refused.value)


def test_data_folder_is_free_again_after_its_holder(folder: Path) -> None:
    with data_folder_lock(folder, "http://localhost:8123"):
        pass
    with data_folder_lock(folder, "http://localhost:8123"):
        pass


def test_sockets_are_closed_to_other_users(folder: Path) -> None:
    with running(postgres(folder)), running(EmbeddedRedis(folder)):
        modes = [path.stat().st_mode & 0o777 for path in (folder / "sockets").iterdir()]
    assert modes == [0o700, 0o700]
