"""An embedded Redis: one binary from a wheel, a unix socket, nothing kept on disk."""

import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from gateway.embedded.errors import EmbeddedServerError
from gateway.embedded.folders import remove_socket_folder, socket_folder
from gateway.embedded.processes import Child, Command

START_SECONDS = 20.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running server."""

    url: str
    pid: int


@contextmanager
def embedded_redis(data_dir: Path) -> Iterator[RedisServer]:
    """Run a server beside the data folder; the caller holds the folder's lock."""
    sockets = socket_folder(data_dir.resolve(), "redis", None)
    path = sockets / "redis.sock"
    # A killed server leaves its socket; nobody listens behind it.
    path.unlink(missing_ok=True)
    child = Child(_command(path, data_dir.resolve() / "logs" / "redis.log"))
    try:
        _wait_until_ready(child, path)
        yield RedisServer(f"unix://{quote(str(path))}", child.pid)
    finally:
        child.stop(STOP_SECONDS)
        remove_socket_folder(sockets)


def _command(path: Path, log: Path) -> Command:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(path.parent),
        "save": "",
        "appendonly": "no",
        "maxmemory": "128mb",
        # Entries with a lifetime make room; version counters, which have none, stay.
        "maxmemory-policy": "volatile-lru",
    }
    settings = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Command("Redis", [_binary(), *settings], log)


def _binary() -> str:
    packaged = Path(sys.prefix) / "redis" / "bin" / "redis-server"
    if packaged.is_file():
        return str(packaged)
    found = shutil.which("redis-server")
    if found is None:
        raise EmbeddedServerError(
            "No redis-server here: run `make install`, install Redis, or set REDIS_URL."
        )
    return found


def _wait_until_ready(child: Child, path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(path):
        child.require_running()
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"Redis is not ready after {START_SECONDS:.0f} s.")
        time.sleep(POLL_SECONDS)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False
