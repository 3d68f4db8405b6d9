"""Starts the processes of the benchmark: its own servers, gateways, the bare application."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from access.tokens import issue
from access.viewers import Role
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.processes import Child, running
from gateway.embedded.redis import EmbeddedRedis

SECRET = os.urandom(24).hex()
ISSUER = "deployment-analytics-gateway"


@dataclass(frozen=True, slots=True)
class Servers:
    """The Postgres and the Redis of this run."""

    postgres: EmbeddedPostgres
    redis: EmbeddedRedis


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder on disk, not in memory as /tmp may be, that the servers' accounts can reach."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    postgres = EmbeddedPostgres(folder, print)
    with running(postgres), running(EmbeddedRedis(folder)) as redis:
        yield Servers(postgres, redis)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def gateway(
    folder: Path, database_url: str, redis_url: str, **settings: str
) -> Iterator[tuple[Child, int]]:
    """Runs a gateway as in production, without limits unless the settings switch them on."""
    port = free_port()
    environment = {
        "GATEWAY_ENV": "production",
        "JWT_SECRET": SECRET,
        "RATE_LIMIT_ENABLED": "0",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PORT": str(port),
        "DATA_DIR": str(folder),
        "LOG_LEVEL": "info",
        **settings,
    }
    child = Child(
        "gateway",
        [sys.executable, "-m", "gateway", "serve"],
        folder / "logs" / f"gateway-{port}.log",
        environment=environment,
    )
    with running(child):
        yield child, port


@contextmanager
def bare(body: Path, media_type: str) -> Iterator[tuple[Child, int]]:
    """Runs the bare application, which responds with the bytes of a file."""
    port = free_port()
    arguments = [sys.executable, "-m", "benchmarks.bare", str(port), str(body), media_type]
    with running(Child("bare", arguments)) as child:
        yield child, port


def token(subject: str = "benchmark") -> str:
    """An administrator's token that lasts for more than an hour."""
    return issue(
        SECRET,
        subject,
        [Role.ADMIN],
        [],
        lifetime=timedelta(hours=6),
        now=datetime.now(UTC),
        issuer=ISSUER,
        audience=ISSUER,
    )
