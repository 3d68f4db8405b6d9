"""The worker process: alerts, retention and late reassignment, at fixed intervals."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from access.sealing import Seals
from alerts.curves import Curves
from alerts.defaults import give_new_projects
from alerts.leader import RENEW_SECONDS
from alerts.resealing import reseal
from alerts.sending import Sending
from alerts.watchdog import Watchdog, answers
from gateway.config.credentials import warn_of_open_files
from gateway.config.retention import archive, retention
from gateway.config.settings import Settings
from gateway.observability import logs
from gateway.observability.alert_metrics import DatabaseMetrics, SendMetrics
from gateway.observability.health import Health, database_check
from gateway.observability.own_events import OwnEvents, recording
from gateway.observability.telemetry import Telemetry
from gateway.opening.database import open_database, utc_now
from gateway.opening.outside import heartbeat_url, open_outside, operations_channel
from gateway.processes.alerting import Alerting
from gateway.processes.heartbeat import Heartbeat
from gateway.processes.source_maps import SourceMaps
from ingest.intake import Intake
from storage.alerts.outages import Outages
from storage.connections.database import Database
from storage.connections.redis import open_redis
from storage.dictionaries import Dictionaries
from storage.error_groups.reopening import reopen_due
from storage.errors import GatewayError
from storage.keeping.leases import new_holder
from storage.keeping.partitions import counts
from storage.keeping.retention import enforce
from storage.reassignment import reassign_pending

log = structlog.get_logger(component="worker")

RETENTION_SECONDS = 600.0
# Rows move to a network or template that was provisioned after them within this time.
REASSIGNMENT_SECONDS = 10.0
SOURCE_MAPS_SECONDS = 10.0
# Errors that are ignored until a time are open again within this time after it.
REOPENING_SECONDS = 10.0
DEFAULT_ALERTS_SECONDS = 10.0
ALIVE_SECONDS = 300.0
# Secrets of channels are sealed under the present key within this time.
RESEALING_SECONDS = 3_600.0
# Whether a tick of the alerts is due is looked at so often.
ALERTS_SECONDS = 1.0
# What alerts tell is sent within this time.
SENDS_SECONDS = 0.5
# Whether the database answers is looked at so often.
WATCHDOG_SECONDS = 5.0
FEED_SECONDS = 0.5
# Whether a heartbeat is due is looked at so often.
HEARTBEAT_SECONDS = 1.0
# The pause after a failure, unless the interval is shorter.
AFTER_FAILURE_SECONDS = 30.0

# What waits in the intake at the end has this long to be stored.
INTAKE_SECONDS = 2.0

# Gets the name of a job and the exception that it raised.
OnJobCrash = Callable[[str, BaseException], None]

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Job:
    """A repeated step, which may be cancelled and repeated at any point; returns log fields."""

    name: str
    seconds: float
    step: Callable[[], Awaitable[dict[str, object]]]


def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, and then until the running steps end."""
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
            await stack.enter_async_context(_serving_health(settings, telemetry, health))
        own = await stack.enter_async_context(own_events(settings, database, telemetry, health))
        metrics = SendMetrics(telemetry.registry)
        outside, operations = open_outside(settings), operations_channel(settings)
        curves = Curves(database, retention(settings), utc_now)
        seals = Seals(settings.jwt_secrets)
        sending = Sending(database, outside, seals, utc_now, metrics.attempted, curves)
        probe = _probe(database, DatabaseMetrics(telemetry.registry))
        outages = await stack.enter_async_context(_outages(settings))
        watchdog = Watchdog(database, probe, operations, outside, utc_now, outages)
        stack.push_async_callback(sending.finish)
        holder = new_holder()
        alerting = Alerting(database, retention(settings), holder, telemetry, utc_now)
        stack.push_async_callback(alerting.resign)
        heartbeat = Heartbeat(
            heartbeat_url(settings),
            outside.outgoing,
            lambda: alerting.ticked_at,
            alerting.metrics.beat,
        )
        health.checks += (alerting.check(),)
        log.info("started", process=os.getpid())
        tasks = [
            asyncio.create_task(repeat(job, telemetry, stopping, own.on_job_crash), name=job.name)
            for job in (
                *alert_jobs(alerting, sending, watchdog),
                Job("heartbeat", HEARTBEAT_SECONDS, heartbeat.step),
                *jobs(settings, database, telemetry, health, holder),
            )
        ]
        await stopping.wait()
        health.stopping = True
        log.info("stopping")
        _, unfinished = await asyncio.wait(tasks, timeout=settings.shutdown_grace_seconds)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _probe(database: Database, metrics: DatabaseMetrics) -> Callable[[], Awaitable[bool]]:
    """Looks whether the database answers, and says so in a metric."""

    async def probe() -> bool:
        is_there = await answers(database)
        metrics.looked(is_there)
        return is_there

    return probe


@asynccontextmanager
async def _outages(settings: Settings) -> AsyncIterator[Outages]:
    """What workers agree on through Redis, which the block keeps open."""
    redis = open_redis(settings.redis_url) if settings.redis_url else None
    try:
        yield Outages(redis)
    finally:
        if redis is not None:
            await redis.aclose()


@asynccontextmanager
async def own_events(
    settings: Settings, database: Database, telemetry: Telemetry, health: Health
) -> AsyncIterator[OwnEvents]:
    """Records crashes of jobs and the log; a worker without a project for these has no intake."""
    if settings.errors_slug is None and settings.log_lines_slug is None:
        yield OwnEvents()
        return
    dictionaries, kept = Dictionaries(database), retention(settings)
    intake = Intake(database, dictionaries, utc_now, retention=kept, observer=telemetry.ingest)
    await intake.start()
    try:
        record = intake.record
        async with recording(settings, record, utc_now, telemetry, health.version) as own:
            yield own
    finally:
        await intake.stop(INTAKE_SECONDS)


def alert_jobs(alerting: Alerting, sending: Sending, watchdog: Watchdog) -> list[Job]:
    """The jobs that evaluate alert rules and tell what they find."""
    return [
        Job("alert-lead", RENEW_SECONDS, alerting.lead),
        Job("alert-ticks", ALERTS_SECONDS, alerting.tick),
        Job("alert-events", FEED_SECONDS, alerting.follow),
        Job("alert-sends", SENDS_SECONDS, sending.step),
        Job("watchdog", WATCHDOG_SECONDS, watchdog.step),
    ]


def jobs(
    settings: Settings, database: Database, telemetry: Telemetry, health: Health, holder: str
) -> list[Job]:
    """The jobs that keep the database in order."""

    async def enforce_retention() -> dict[str, object]:
        report = await enforce(
            database,
            retention(settings),
            utc_now(),
            holder=holder,
            archive=archive(settings),
        )
        async with database.connection() as connection:
            telemetry.on_partitions(await counts(connection))
        if report is None:
            return {"skipped": "another worker runs it"}
        return {name: value for name, value in asdict(report).items() if value}

    async def reassign() -> dict[str, object]:
        now = utc_now()
        moved = await reassign_pending(database, now, retention(settings).floors(now))
        return {"moved": moved} if moved else {}

    async def reopen() -> dict[str, object]:
        reopened = await reopen_due(database, utc_now())
        return {"reopened": reopened} if reopened else {}

    async def give_defaults() -> dict[str, object]:
        if not settings.default_alerts:
            return {}
        given = await give_new_projects(database, utc_now())
        return {"projects": given} if given else {}

    async def reseal_secrets() -> dict[str, object]:
        resealed = await reseal(database, Seals(settings.jwt_secrets))
        return {"resealed": resealed} if resealed else {}

    async def report_health() -> dict[str, object]:
        return {"status": str(await health.status())}

    maps = SourceMaps(database, holder)
    return [
        Job("source-maps", SOURCE_MAPS_SECONDS, maps.step),
        Job("retention", RETENTION_SECONDS, enforce_retention),
        Job("reassignment", REASSIGNMENT_SECONDS, reassign),
        Job("reopening", REOPENING_SECONDS, reopen),
        Job("default-alerts", DEFAULT_ALERTS_SECONDS, give_defaults),
        Job("resealing", RESEALING_SECONDS, reseal_secrets),
        Job("alive", ALIVE_SECONDS, report_health),
    ]


async def repeat(
    job: Job, telemetry: Telemetry, stopping: asyncio.Event, on_crash: OnJobCrash
) -> None:
    """Run the job at once, then once per interval, until `stopping` is set; log failures."""
    while not stopping.is_set():
        succeeded = await _run_once(job, telemetry, on_crash)
        pause_seconds = job.seconds if succeeded else min(AFTER_FAILURE_SECONDS, job.seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_seconds):
                await stopping.wait()


async def _run_once(job: Job, telemetry: Telemetry, on_crash: OnJobCrash) -> bool:
    """Run the job's step and log its result; return whether it succeeded."""
    started, result = time.perf_counter(), None
    try:
        result = await job.step()
    except GatewayError as error:
        log.warning("job_failed", job=job.name, code=error.code, reason=error.message)
    except Exception as error:
        log.exception("job_crashed", job=job.name)
        on_crash(job.name, error)
    seconds = time.perf_counter() - started
    telemetry.on_job(job.name, seconds, None if result is None else time.time())
    if result is not None:
        # A frequent job that had nothing to do is not worth a line.
        write = log.info if result or job.seconds >= 60 else log.debug
        write("job_done", job=job.name, duration_ms=round(seconds * 1000), **result)
    return result is not None


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to the worker."""
        yield


@asynccontextmanager
async def _serving_health(
    settings: Settings, telemetry: Telemetry, health: Health
) -> AsyncIterator[None]:
    """Serve the health endpoints and the metrics inside the block."""
    app = Starlette(
        routes=[
            Route("/health", health.health),
            Route("/ready", health.ready),
            Route("/live", health.live),
            Route("/metrics", telemetry.metrics),
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
    server = _Server(config)
    serving = asyncio.create_task(server.serve(), name="health")
    try:
        yield
    finally:
        server.should_exit = True
        await serving
