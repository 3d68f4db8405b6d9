"""The endpoints /live, /ready and /health, and the checks behind them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import column, select, table
from starlette.requests import Request
from starlette.responses import Response

from gateway.config import migrations
from gateway.http.errors import json_response
from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.errors import GatewayError, Overloaded

CHECK_SECONDS = 2.0
# However many probes arrive, the components are checked at most this often.
CACHED_SECONDS = 1.0
# Less than CHECK_SECONDS, so that a check reports a full pool as such, not as a timeout.
_WAIT_SECONDS = CHECK_SECONDS * 0.75

_REVISION = SqlQuery(
    "schema_revision", select(column("version_num")).select_from(table("alembic_version"))
)


class HealthStatus(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Check:
    """The check of a component; the process is unavailable if a needed one fails."""

    name: str
    needed: bool
    probe: Callable[[], Awaitable[str | None]]  # returns the fault, or None


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    name: str
    status: HealthStatus
    latency_ms: float
    message: str | None = None

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"status": self.status, "latencyMs": self.latency_ms}
        return body if self.message is None else body | {"message": self.message}


@dataclass(slots=True)
class Health:
    """The health of this process and its components, checked on demand."""

    version: str
    checks: tuple[Check, ...] = ()
    stopping: bool = False
    started_at: float = field(default_factory=time.monotonic)
    _checked_at: float = field(default=-CACHED_SECONDS, init=False)
    _components: tuple[ComponentHealth, ...] = field(default=(), init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def components(self) -> tuple[ComponentHealth, ...]:
        async with self._lock:
            if time.monotonic() - self._checked_at >= CACHED_SECONDS:
                self._components = tuple(await asyncio.gather(*map(_run, self.checks)))
                self._checked_at = time.monotonic()
        return self._components

    async def status(self) -> HealthStatus:
        if self.stopping or not self.checks:
            return HealthStatus.UNAVAILABLE
        return max((item.status for item in await self.components()), key=list(HealthStatus).index)

    async def live(self, _request: Request) -> Response:
        return json_response({"status": HealthStatus.OK}, 200)

    async def ready(self, _request: Request) -> Response:
        status = await self.status()
        body: dict[str, Any] = {"status": status}
        if self.stopping:
            body["reason"] = "shutting down"
        elif status is not HealthStatus.OK:
            body["reason"] = "; ".join(
                f"{item.name}: {item.message}" for item in self._components if item.message
            )
        return json_response(body, _code(status))

    async def health(self, _request: Request) -> Response:
        components = await self.components()
        status = await self.status()
        body = {
            "status": status,
            "version": self.version,
            "uptimeSeconds": round(time.monotonic() - self.started_at, 1),
            "components": {item.name: item.as_json() for item in components},
        }
        return json_response(body, _code(status))


def _code(status: HealthStatus) -> int:
    return 503 if status is HealthStatus.UNAVAILABLE else 200


async def _run(check: Check) -> ComponentHealth:
    started, needed = time.perf_counter(), check.needed
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            message = await check.probe()
    except TimeoutError:
        message = f"no answer within {CHECK_SECONDS:g} seconds"
    except Overloaded as error:  # our own limit, not a fault of the component
        message, needed = error.message, False
    except GatewayError as error:
        message = error.message
    latency_ms = round((time.perf_counter() - started) * 1000, 2)
    if message is None:
        return ComponentHealth(check.name, HealthStatus.OK, latency_ms)
    status = HealthStatus.UNAVAILABLE if needed else HealthStatus.DEGRADED
    return ComponentHealth(check.name, status, latency_ms, message)


def checks(database: Database, redis: Redis) -> tuple[Check, ...]:
    async def ping() -> str | None:
        try:
            await redis.ping()
        except (RedisError, OSError):
            return "Redis cannot be reached: answers are computed anew"
        return None

    return (database_check(database), Check("redis", needed=False, probe=ping))


def database_check(database: Database) -> Check:
    known = migrations.revisions()

    async def postgres() -> str | None:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                return await _migration_fault(database, known)
        except TimeoutError:
            if not database.pool().is_full:
                raise
            raise Overloaded("all connections to the database are in use") from None

    return Check("postgres", needed=True, probe=postgres)


async def _migration_fault(database: Database, known: list[str]) -> str | None:
    """A revision newer than ours is fine: during an upgrade the database goes first."""
    try:
        rows = await database.fetch(_REVISION)
    except asyncpg.UndefinedTableError:
        rows = []
    if not rows:
        return "the database has no tables: run `gateway migrate`"
    revision = rows[0]["version_num"]
    if revision in known[1:]:
        return "the database lacks the newest migrations: run `gateway migrate`"
    return None
