"""Serves the application over HTTP until told to stop, then lets go in order."""

import asyncio
import gc
import math
import os
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

import strawberry
import structlog
import uvicorn

from gateway.app import Application
from gateway.config.credentials import warn_of_open_files
from gateway.config.settings import Settings
from gateway.graphql.live.websocket import MESSAGE_BYTES
from gateway.http.connection_limit import ConnectionLimit
from gateway.http.connections import CONNECTIONS, Config, LimitedWebSocket
from gateway.http.listening import has_waiting, take_no_more
from gateway.observability import logs
from gateway.observability.health import Health

log = structlog.get_logger(component="server")

# Load balancers need a moment to see that we are no longer ready; until then, keep accepting.
UNREADY_SECONDS = 2.0
# Then no connection begins any more. Those that have begun get as long to be made and accepted, and
# a process that is busy so many times as long.
HANDSHAKE_SECONDS = 0.5
HANDSHAKE_WAITS = 4
KEEP_ALIVE_SECONDS = 20
# Connections to Postgres and Redis, files, and what waits to be accepted.
FILES = 2 * CONNECTIONS
BACKLOG = 1_024


def serve(settings: Settings, schema: strawberry.Schema | None = None) -> None:
    """Run the gateway in this process; returns after SIGTERM or SIGINT."""
    logs.configure(settings.log_level)
    warn_of_open_files(settings)
    app = Application(settings, schema)
    unready_seconds = 0.0 if settings.environment == "demo" else UNREADY_SECONDS
    config = Config(
        app,
        ConnectionLimit(settings.connections_per_address, app.policy.proxies),
        ws=LimitedWebSocket,
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
        timeout_graceful_shutdown=max(
            settings.shutdown_grace_seconds - math.ceil(unready_seconds + HANDSHAKE_SECONDS), 1
        ),
        backlog=BACKLOG,
    )
    _spare_the_collector()
    _allow_files()
    Server(config, app.health, unready_seconds, app.end_subscriptions).run()


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
    """On the first signal it becomes unready, a moment later it stops accepting; then it drains.

    Each connection that could be made is answered.
    """

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
        self._stopping: asyncio.Task[None] | None = None

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
            loop.call_soon_threadsafe(self._begin_to_stop, seconds)

    def _begin_to_stop(self, seconds: float) -> None:
        self._stopping = asyncio.create_task(self._stop(seconds), name="stop")

    async def _stop(self, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            await self._accept_the_last()
            self._on_stop()
        finally:
            self.should_exit = True

    async def _accept_the_last(self) -> None:
        """Take no more connections, and accept those that wait."""
        with ExitStack() as stack:
            listeners = [
                stack.enter_context(socket.socket(fileno=os.dup(listener.fileno())))
                for server in self.servers
                for listener in server.sockets
            ]
            for listener in listeners:
                take_no_more(listener)
            for _wait in range(HANDSHAKE_WAITS):
                await asyncio.sleep(HANDSHAKE_SECONDS)
                if not any(has_waiting(listener) for listener in listeners):
                    break
