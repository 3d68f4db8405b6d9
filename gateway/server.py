"""Serves the application over HTTP until told to stop, then lets go in order."""

import asyncio
import gc
import resource
import signal
from collections.abc import Callable
from types import FrameType

import strawberry
import structlog
import uvicorn

from gateway import logs
from gateway.app import create_app
from gateway.connections import CONNECTIONS, Config, CrowdedSocket
from gateway.credentials import warn_of_open_files
from gateway.crowds import Crowd
from gateway.graphql.live.websocket import MESSAGE_BYTES
from gateway.health import Health
from gateway.settings import Settings

log = structlog.get_logger(component="server")

# Load balancers need a moment to see that we are no longer ready; until then, keep accepting.
UNREADY_SECONDS = 2.0
KEEP_ALIVE_SECONDS = 20
# Connections to Postgres and Redis, files, and what waits to be accepted.
FILES = 2 * CONNECTIONS
BACKLOG = 1_024


def serve(settings: Settings, schema: strawberry.Schema | None = None) -> None:
    """Run the gateway in this process; returns after SIGTERM or SIGINT."""
    logs.configure(settings.log_level)
    warn_of_open_files(settings)
    app = create_app(settings, schema)
    unready_seconds = 0.0 if settings.environment == "demo" else UNREADY_SECONDS
    config = Config(
        app,
        Crowd(settings.connections_per_address, app.state.proxies),
        ws=CrowdedSocket,
        host=settings.host,
        port=settings.port,
        # What streams is not compressed: its length could betray what it holds, and each connection
        # would need memory and time of its own for it.
        ws_per_message_deflate=False,
        ws_max_size=MESSAGE_BYTES * 4,  # of bytes; texts have their own bound
        access_log=False,  # there is a structured line for each request
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(settings.shutdown_grace_seconds - round(unready_seconds), 1),
        backlog=BACKLOG,
    )
    _spare_the_collector()
    _allow_files()
    topics = app.state.event_streams.operations.topics
    Server(config, app.state.health, unready_seconds, topics.let_go).run()


def _spare_the_collector() -> None:
    """An answer is thousands of objects without cycles: looking for those ten times as seldom
    saves a tenth of the processor, and what the imports made need not be looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _allow_files() -> None:
    """As many open files as our connections need, where the system's default is less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Server(uvicorn.Server):
    """On the first signal it becomes unready, a moment later it stops accepting; then it drains."""

    def __init__(
        self,
        config: uvicorn.Config,
        health: Health,
        unready_seconds: float,
        on_stop: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._health = health
        self._unready_seconds = unready_seconds
        self._on_stop = on_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Signals are not passed on to uvicorn's own list: it would raise them again at the end,
        # and an orderly stop should end with code 0.
        del frame
        if self._health.stopping:
            self.force_exit = self.should_exit = True
            return
        self._health.stopping = True
        log.info("stopping", signal=sig)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # before or after the loop: nothing is in flight
            self.should_exit = True
        else:
            # A person at the keyboard is no load balancer.
            seconds = 0.0 if sig == signal.SIGINT else self._unready_seconds
            loop.call_soon_threadsafe(loop.call_later, seconds, self._stop_accepting)

    def _stop_accepting(self) -> None:
        self.should_exit = True
        self._on_stop()
