"""The process that works without being asked: partitions, retention, late names, the feed."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.config.credentials import warn_of_open_files
from gateway.config.retention import retention
from gateway.config.settings import Settings
from gateway.observability import logs
from gateway.observability.checks import database_check
from gateway.observability.health import Health
from gateway.observability.telemetry import Telemetry
from gateway.rest.metrics import MetricsEndpoint
from gateway.services import open_database, utc_now
from storage.connections.database import Database
from storage.errors import GatewayError
from storage.keeping.partitions import counts
from storage.keeping.retention import Report, enforce
from storage.reassignment import reassign_pending

log = structlog.get_logger(component="worker")

RETENTION_SECONDS = 600.0
# How soon deployments count under a network or template that is provisioned after them.
REASSIGNMENT_SECONDS = 10.0
ALIVE_SECONDS = 300.0
# After a failure the job comes again sooner than planned, but not at once.
AFTER_FAILURE_SECONDS = 30.0

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again; its step may be cancelled and repeated at any point."""

    name: str
    seconds: float
    step: Callable[[], Awaitable[dict[str, object]]]


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then end after the step at hand."""
    logs.configure(settings.log_level)
    warn_of_open_files(settings)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopping.set)
    telemetry, health = Telemetry(), Health(version("deployment-analytics-gateway"))
    async with AsyncExitStack() as stack:
        database = await open_database(settings, telemetry, "worker")
        stack.push_async_callback(database.close)
        health.checks = (database_check(database),)
        if settings.worker_port:
            stack.push_async_callback(_stop_answering, *await _answer(settings, telemetry, health))
        log.info("started", process=os.getpid())
        tasks = [
            asyncio.create_task(keep_doing(job, telemetry, stopping), name=job.name)
            for job in jobs(settings, database, telemetry, health)
        ]
        await stopping.wait()
        health.stopping = True
        log.info("stopping")
        _, unfinished = await asyncio.wait(tasks, timeout=settings.shutdown_grace_seconds)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def jobs(settings: Settings, database: Database, telemetry: Telemetry, health: Health) -> list[Job]:
    holder = f"{socket.gethostname()}:{os.getpid()}"

    async def keep_house() -> dict[str, object]:
        report = await enforce(
            database,
            retention(settings),
            utc_now(),
            holder=holder,
            archive_folder=settings.archive_dir,
        )
        async with database.connection() as connection:
            telemetry.on_partitions(await counts(connection))
        return {"skipped": "another worker is at it"} if report is None else _told(report)

    async def reassign() -> dict[str, object]:
        now = utc_now()
        moved = await reassign_pending(database, now, retention(settings).floors(now))
        return {"deployments": moved} if moved else {}

    async def say_alive() -> dict[str, object]:
        return {"status": str(await health.status())}

    return [
        Job("retention", RETENTION_SECONDS, keep_house),
        Job("reassignment", REASSIGNMENT_SECONDS, reassign),
        Job("alive", ALIVE_SECONDS, say_alive),
    ]


async def keep_doing(job: Job, telemetry: Telemetry, stopping: asyncio.Event) -> None:
    """Do the job now and then at its interval, whatever happens to one step, until told to stop."""
    while not stopping.is_set():
        succeeded = await _do(job, telemetry)
        pause_seconds = job.seconds if succeeded else min(AFTER_FAILURE_SECONDS, job.seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_seconds):
                await stopping.wait()


async def _do(job: Job, telemetry: Telemetry) -> bool:
    started = time.perf_counter()
    try:
        told = await job.step()
    except GatewayError as error:
        log.warning("job_failed", job=job.name, code=error.code, reason=error.message)
    except Exception:
        log.exception("job_crashed", job=job.name)
    else:
        seconds = time.perf_counter() - started
        telemetry.on_job(job.name, seconds, time.time())
        # That a frequent job found nothing to do is no news.
        tell = log.info if told or job.seconds >= 60 else log.debug
        tell("job_done", job=job.name, duration_ms=round(seconds * 1000), **told)
        return True
    telemetry.on_job(job.name, time.perf_counter() - started, None)
    return False


def _told(report: Report) -> dict[str, object]:
    """What a run of retention did, without what it had no need to do."""
    deleted = {table: count for table, count in report.deleted.items() if count}
    told: dict[str, object] = {
        "partitions_created": report.created,
        "dropped": report.dropped,
        "archived": [str(path) for path in report.archived],
        "repaired": [day.isoformat() for day in report.repaired],
        "kept_back": report.kept_back,
        "deleted": deleted,
    }
    return {name: value for name, value in told.items() if value}


class _Unsignalled(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """The signals are the worker's own business."""
        yield


async def _answer(
    settings: Settings, telemetry: Telemetry, health: Health
) -> tuple[uvicorn.Server, asyncio.Task[None]]:
    """Serve health and metrics beside the work."""
    app = Starlette(
        routes=[
            Route("/health", health.health),
            Route("/ready", health.ready),
            Route("/live", health.live),
            Route("/metrics", MetricsEndpoint(telemetry).respond),
        ]
    )
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.worker_port,
        access_log=False,
        log_config=None,
        server_header=False,
        lifespan="off",
    )
    server = _Unsignalled(config)
    return server, asyncio.create_task(server.serve(), name="health")


async def _stop_answering(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    await serving
