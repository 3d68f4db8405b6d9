"""What the gateway records of itself, as events of projects: API calls, crashes and its log.

A crash while one is recorded makes no error of its own: it is logged, and what waits is lost.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.config.settings import Settings
from gateway.http.crashes import Crash
from gateway.http.edge_route import UNMATCHED
from gateway.http.exchange import Exchange
from gateway.observability.own_lines import MAX_LINES, passing_on
from gateway.observability.recorder import Record, Recorder
from gateway.observability.telemetry import Telemetry, known_method

MAX_CALLS = 5_000
MAX_CRASHES = 500
# Of one request; a document may have thousands of fields that crash alike.
MAX_OF_REQUEST = 10


@dataclass(frozen=True, slots=True)
class OwnEvents:
    """The recorders of a process; None for what the settings turn off."""

    calls: Recorder | None = None
    errors: Recorder | None = None

    def on_request(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Records an answered request, and what crashed in it."""
        if self.calls is not None and _is_call(exchange, status):
            self.calls.add(_call(exchange, status, seconds))
        self.on_crash(exchange, *exchange.crashes)

    def on_crash(self, exchange: Exchange, *crashes: Crash) -> None:
        """Records crashes in a request, or in an operation on a lasting connection."""
        if self.errors is not None:
            for crash in crashes[:MAX_OF_REQUEST]:
                self.errors.add(_error(exchange, crash))

    def on_job_crash(self, name: str, error: BaseException) -> None:
        """Records the crash of a job of the worker."""
        if self.errors is not None:
            tags, payload = {"job": name}, _payload(Crash.of(error))
            self.errors.add({"culprit": f"job {name}", "tags": tags, "payload": payload})


@asynccontextmanager
async def recording(
    settings: Settings,
    record: Record,
    clock: Callable[[], datetime],
    telemetry: Telemetry,
    release: str,
) -> AsyncIterator[OwnEvents]:
    """Records in the background inside the block."""
    calls, errors, environment = None, None, settings.environment
    async with AsyncExitStack() as stack:
        if slug := settings.api_calls_slug:
            common = {"type": "api.call", "project": slug, "environment": environment}
            calls = Recorder(record, clock, common, MAX_CALLS, telemetry.on_api_calls_lost)
            await stack.enter_async_context(calls.recording())
        if slug := settings.errors_slug:
            common = {"type": "error.occurred", "project": slug, "environment": environment}
            common |= {"release": release, "severity": "high"}
            errors = Recorder(record, clock, common, MAX_CRASHES, telemetry.on_own_errors_lost)
            await stack.enter_async_context(errors.recording())
        if slug := settings.log_lines_slug:
            common = {"type": "log.line", "project": slug, "environment": environment}
            common |= {"release": release}
            lines = Recorder(record, clock, common, MAX_LINES, telemetry.on_own_lines_lost)
            await stack.enter_async_context(lines.recording())
            stack.enter_context(passing_on(lines.add))
        yield OwnEvents(calls, errors)


def _is_call(exchange: Exchange, status: int) -> bool:
    """Whether a request is a call of the API, not for a probe, a page or no route at all."""
    route = exchange.route
    if route.is_public or route is UNMATCHED:
        return False
    # Without a viewer, only pages and preflight requests succeed.
    return exchange.viewer is not None or status >= 400


def _call(exchange: Exchange, status: int, seconds: float) -> dict[str, Any]:
    call: dict[str, Any] = {
        "endpoint": exchange.route.path,
        "method": known_method(exchange.method),
        "status": status,
        **_user(exchange),
    }
    if not exchange.is_stream:  # which lasts as long as its client reads
        call["durationMs"] = round(seconds * 1000, 3)
    return call


def _error(exchange: Exchange, crash: Crash) -> dict[str, Any]:
    method, path = exchange.method, exchange.route.path
    tags = {"method": method, "endpoint": path, "operation": exchange.operation_name}
    return {
        "culprit": f"{method} {path}",
        "tags": {name: value for name, value in tags.items() if value},
        "attributes": {"requestId": exchange.request_id},
        "payload": _payload(crash) | {"request": {"method": method, "url": path}},
        **_user(exchange),
    }


def _user(exchange: Exchange) -> dict[str, str]:
    return {} if exchange.viewer is None else {"user": exchange.viewer.subject}


def _payload(crash: Crash) -> dict[str, Any]:
    return {"platform": "python", "exception": {"values": list(crash.exceptions)}}
