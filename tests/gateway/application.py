"""The whole application with real servers behind it, and a real process for what needs one."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import strawberry

from access.viewers import Role
from gateway.app import create_app
from gateway.config.settings import Settings
from gateway.http.edge_route import EdgeRoute
from gateway.observability.health import Health
from gateway.services import Gateway, open_gateway
from schema import schema as our_schema
from tests.gateway.graphql.edge import PARTY, SECRET, token
from tests.patience import HANGS_SECONDS

TABLES = """
select relname from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
"""


def settings_for(database_url: str, redis_url: str, **changes: Any) -> Settings:
    values = {
        "environment": "production",
        "database_url": database_url,
        "redis_url": redis_url,
        "jwt_secret": SECRET,
        "jwt_issuer": PARTY,
        "jwt_audience": PARTY,
        "database_pool_size": 4,
        # Most tests ask as the same viewer; where limits are on, ask as `somebody`.
        "rate_limit_enabled": False,
    }
    return Settings(**{**values, **changes})


class AppClient(httpx.AsyncClient):
    """A client of a gateway in this process."""

    def __init__(
        self,
        gateway: Gateway,
        headers: dict[str, str],
        routes: Sequence[EdgeRoute[Gateway]] | None = None,
    ) -> None:
        self.app = create_app(gateway, routes)
        self.gateway = gateway
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        super().__init__(transport=transport, base_url="http://gateway", headers=headers)


@asynccontextmanager
async def running(
    settings: Settings, schema: strawberry.Schema | None = None, **headers: str
) -> AsyncIterator[AppClient]:
    """A client of an open gateway."""
    async with (
        open_gateway(settings, Health("tests"), schema or our_schema) as gateway,
        AppClient(gateway, headers) as client,
    ):
        yield client


def as_role(*roles: Role, projects: tuple[str, ...] = ()) -> dict[str, str]:
    return {"authorization": f"Bearer {token(*roles, projects=projects)}"}


def somebody(*roles: Role, projects: tuple[str, ...] = ()) -> dict[str, str]:
    """A viewer nobody else is: what it spends of its budgets is spent for no other test."""
    made = token(*roles, projects=projects, subject=f"somebody-{uuid4().hex}")
    return {"authorization": f"Bearer {made}"}


@dataclass(frozen=True, slots=True)
class Process:
    """A gateway of its own, reached over TCP."""

    process: subprocess.Popen[bytes]
    port: int
    log_path: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)


@contextmanager
def gateway_process(
    database_url: str, redis_url: str, log_path: str, *arguments: str, **environment: str
) -> Iterator[Process]:
    """Start a program (by default the gateway) on a free port and wait until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {
        **os.environ,
        "GATEWAY_ENV": "production",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "JWT_SECRET": SECRET,
        "JWT_ISSUER": PARTY,
        "JWT_AUDIENCE": PARTY,
        "PORT": str(port),
        "RATE_LIMIT_ENABLED": "0",
        **environment,
    }
    command = [sys.executable, *(arguments or ("-m", "gateway", "serve"))]
    with open(log_path, "wb") as log:
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=log)
    try:
        _wait_until_it_answers(process, port, log_path)
        yield Process(process, port, log_path)
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log_path: str) -> None:
    give_up_at = time.monotonic() + HANGS_SECONDS
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/live", timeout=1).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    with open(log_path, encoding="utf-8", errors="replace") as log:
        raise AssertionError(f"the gateway did not start: {log.read()[-2000:]}")


async def eventually(question: Any, seconds: float = 30.0) -> None:
    """Wait until an async question is answered with yes."""
    give_up_at = time.monotonic() + seconds
    while not await question():
        assert time.monotonic() < give_up_at, "it did not happen in time"
        await asyncio.sleep(0.05)


async def tables_with(url: str, text: str) -> list[str]:
    """The tables with the text in any row."""
    found, connection = [], await asyncpg.connect(url)
    try:
        for row in await connection.fetch(TABLES):
            select = f"select exists (select 1 from {row['relname']} as t where t::text like $1)"
            if await connection.fetchval(select, f"%{text}%"):
                found.append(row["relname"])
    finally:
        await connection.close()
    return sorted(found)
