"""An embedded Redis: one binary from a wheel, a unix socket, nothing kept on disk."""

import shutil
import socket
import sys
import time
from pathlib import Path
from urllib.parse import quote

from gateway.embedded.errors import EmbeddedServerError
from gateway.embedded.folders import remove_socket_folder, socket_folder
from gateway.embedded.processes import Child, Command

START_SECONDS = 20.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.01


class EmbeddedRedis:
    """A server beside a data folder, whose lock the caller holds."""

    name = "Redis"

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir.resolve()
        self._sockets: Path | None = None
        self._child: Child | None = None

    @property
    def exit_code(self) -> int | None:
        return None if self._child is None else self._child.exit_code

    @property
    def pid(self) -> int:
        assert self._child is not None, "not started"
        return self._child.pid

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket))}"

    @property
    def _socket(self) -> Path:
        assert self._sockets is not None, "not started"
        return self._sockets / "redis.sock"

    def start(self) -> None:
        """Start it, or start it again after it died: the address stays the same."""
        if self._child is not None:
            self._child.stop()
        if self._sockets is None:
            self._sockets = socket_folder(self._data_dir, "redis", None)
        # A killed server leaves its socket; nobody listens behind it.
        self._socket.unlink(missing_ok=True)
        self._child = Child(_command(self._socket, self._data_dir / "logs" / "redis.log"))
        self._child.start()
        _wait_until_ready(self._child, self._socket)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
        if self._sockets is not None:
            remove_socket_folder(self._sockets)
            self._sockets = None


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
    return Command("Redis", [_binary(), *settings], log, grace_seconds=STOP_SECONDS)


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
