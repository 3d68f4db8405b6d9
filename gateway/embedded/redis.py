"""An embedded Redis: one binary from a wheel, a unix socket, nothing stored on disk."""

import shutil
import socket
import sys
from functools import partial
from pathlib import Path
from urllib.parse import quote

from gateway.embedded.folders import socket_folder
from gateway.embedded.processes import Child, EmbeddedServerError
from gateway.embedded.server import EmbeddedServer

START_SECONDS = 20.0
STOP_SECONDS = 5.0


class EmbeddedRedis(EmbeddedServer):
    """A Redis beside a data folder, whose lock the caller holds."""

    name = "Redis"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket))}"

    @property
    def _socket(self) -> Path:
        assert self._sockets is not None, "not started"
        return self._sockets / "redis.sock"

    def start(self) -> None:
        """Start the server, again at the same address if it has died."""
        if self._sockets is None:
            self._sockets = socket_folder(self._data_dir, "redis", None)
        self._socket.unlink(missing_ok=True)  # a killed server leaves its socket behind
        child = _process(self._socket, self._data_dir / "logs" / "redis.log")
        self._launch(child, partial(_answers, self._socket), START_SECONDS)


def _process(path: Path, log: Path) -> Child:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(path.parent),
        "save": "",
        "appendonly": "no",
        "maxmemory": "128mb",
        # Makes room by evicting the least recently used; everything here has a lifetime.
        "maxmemory-policy": "volatile-lru",
    }
    settings = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Child("Redis", [_binary(), *settings], log, grace_seconds=STOP_SECONDS)


def _binary() -> str:
    packaged = Path(sys.prefix) / "redis" / "bin" / "redis-server"
    if packaged.is_file():
        return str(packaged)
    found = shutil.which("redis-server")
    if found is None:
        raise EmbeddedServerError(
            "redis-server was not found: run `make install`, install Redis, or set REDIS_URL."
        )
    return found


def _answers(path: Path) -> bool:
    """Whether a server answers PING on the socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False
