"""Serves the application over HTTP, and shuts down without losing requests."""

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
from gateway.http.connections import MAX_CONNECTIONS, Config, LimitedWebSocket
from gateway.http.listening import has_waiting, take_no_more
from gateway.observability import logs
from gateway.observability.health import Health

log = structlog.get_logger(component="server")

# Connections are still accepted while load balancers notice that the process is not ready.
UNREADY_SECONDS = 2.0
# Then new connections are dropped. Those that have begun get this time to be accepted, up to
# HANDSHAKE_WAITS times in a busy process.
HANDSHAKE_SECONDS = 0.5
HANDSHAKE_WAITS = 4
KEEP_ALIVE_SECONDS = 20
# Also for connections to Postgres and Redis, files and connections that wait to be accepted.
OPEN_FILES = 2 * MAX_CONNECTIONS
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
        # Compressed lengths could betray secrets, and compression takes memory per connection.
        ws_per_message_deflate=False,
        ws_max_size=MESSAGE_BYTES * 4,  # in bytes; the limit of MESSAGE_BYTES is applied to texts
        access_log=False,  # the request log writes a line per request
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(
            settings.shutdown_grace_seconds - math.ceil(unready_seconds + HANDSHAKE_SECONDS), 1
        ),
        backlog=BACKLOG,
    )
    _set_imports_aside()
    _raise_file_limit()
    Server(config, app.health, unready_seconds, app.end_subscriptions).run()


def _set_imports_aside() -> None:
    """Never scan the objects made by imports."""
    gc.collect()
    gc.freeze()


def _raise_file_limit() -> None:
    """Raise the limit of open files to OPEN_FILES, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Server(uvicorn.Server):
    """A server that, on the first signal, becomes unready, then stops accepting, then drains.

    Every connection that was established is answered.
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
        # Without a call of the base class, which would raise the signal again at the end: an
        # orderly shutdown exits with code 0.
        del frame
        if self._health.stopping:
            self.force_exit = self.should_exit = True
            return
        self._health.stopping = True
        log.info("stopping", signal=sig)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # before or after the loop: no request is running
            self.should_exit = True
        else:
            # Ctrl-C comes from a person, who has no load balancer.
            seconds = 0.0 if sig == signal.SIGINT else self._unready_seconds
            loop.call_soon_threadsafe(self._start_stopping, seconds)

    def _start_stopping(self, seconds: float) -> None:
        self._stopping = asyncio.create_task(self._stop(seconds), name="stop")

    async def _stop(self, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            await self._accept_waiting()
            self._on_stop()
        finally:
            self.should_exit = True

    async def _accept_waiting(self) -> None:
        """Take no new connections, and wait until those that have begun are accepted."""
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
