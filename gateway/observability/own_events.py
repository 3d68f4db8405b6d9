"""What the gateway records of itself: its API calls and its crashes, as events of a project."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from gateway.config.settings import Settings
from gateway.http.crashes import Crash
from gateway.http.exchange import Exchange
from gateway.observability.api_calls import ApiCalls
from gateway.observability.own_errors import OwnErrors
from gateway.observability.recorder import Destination, Record
from gateway.observability.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class OwnEvents:
    """The recorders of a process; None for what the settings turn off."""

    api_calls: ApiCalls | None = None
    errors: OwnErrors | None = None

    def on_request(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Records an answered request, and what crashed in it."""
        if self.api_calls is not None:
            self.api_calls.add(exchange, status, seconds)
        self.on_crash(exchange, *exchange.crashes)

    def on_crash(self, exchange: Exchange, *crashes: Crash) -> None:
        """Records crashes in a request, or in an operation on a lasting connection."""
        if self.errors is not None:
            self.errors.add(exchange, crashes)

    def on_job_crash(self, name: str, error: BaseException) -> None:
        """Records the crash of a job of the worker."""
        if self.errors is not None:
            self.errors.add_job(name, error)


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
            to = Destination(slug, environment, clock)
            calls = ApiCalls.of(record, to, telemetry.on_api_calls_lost)
            await stack.enter_async_context(calls.recorder.recording())
        if slug := settings.errors_slug:
            to = Destination(slug, environment, clock)
            errors = OwnErrors.of(record, to, release, telemetry.on_own_errors_lost)
            await stack.enter_async_context(errors.recorder.recording())
        yield OwnEvents(calls, errors)
