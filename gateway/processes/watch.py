"""Restarts services that stop, unless they keep stopping."""

import time
import urllib.request
from collections import deque
from collections.abc import Callable, Sequence

from gateway.embedded.processes import EmbeddedServerError, Service

RESTARTS_MAX = 10
RESTARTS_WINDOW_SECONDS = 60.0
PAUSE_SECONDS = 0.5


class Watch:
    """Restarts services, in the order in which they depend on one another."""

    def __init__(self, services: Sequence[Service], write: Callable[[str], None]) -> None:
        self._services = services
        self._write = write
        self._restarts: dict[str, deque[float]] = {service.name: deque() for service in services}

    def check(self) -> None:
        """Restart services that have stopped; raises if one keeps stopping."""
        for service in self._services:
            if (code := service.exit_code) is not None:
                self._write(f"{service.name} stopped (exit code {code}): restarting it")
                self._restart(service)

    def _restart(self, service: Service) -> None:
        self._count_restart(service)
        try:
            service.start()
        except EmbeddedServerError as error:
            # The old processes may still be ending: the next check tries again.
            self._write(f"{error}")
            time.sleep(PAUSE_SECONDS)

    def _count_restart(self, service: Service) -> None:
        restarts = self._restarts[service.name]
        now = time.monotonic()
        restarts.append(now)
        while restarts[0] < now - RESTARTS_WINDOW_SECONDS:
            restarts.popleft()
        if len(restarts) > RESTARTS_MAX:
            raise EmbeddedServerError(
                f"{service.name} stopped more than {RESTARTS_MAX} times within a minute; giving up."
            )


def is_up(url: str) -> bool:
    """Whether the URL responds with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2.0) as response:  # noqa: S310 - our own URL
            return bool(response.status == 200)
    except OSError:
        return False
