"""Keeps services running: one that dies is started again, unless it keeps dying."""

import time
import urllib.request
from collections import deque
from collections.abc import Callable, Sequence

from gateway.embedded.errors import EmbeddedServerError
from gateway.embedded.processes import Service

RESTARTS_MAX = 10
RESTARTS_WINDOW_SECONDS = 60.0
PAUSE_SECONDS = 0.5


class Watch:
    """Watches over services; the earlier ones are needed by the later ones."""

    def __init__(self, services: Sequence[Service], say: Callable[[str], None]) -> None:
        self._services = services
        self._say = say
        self._restarts: dict[str, deque[float]] = {service.name: deque() for service in services}

    def check(self) -> None:
        """Start again what has died since the last time."""
        for service in self._services:
            if (code := service.exit_code) is not None:
                self._say(f"{service.name} stopped (exit code {code}): starting it again")
                self._restart(service)

    def _restart(self, service: Service) -> None:
        self._count(service)
        try:
            service.start()
        except EmbeddedServerError as error:
            # Its predecessor's last processes may still be leaving: the next round tries again.
            self._say(f"{error}")
            time.sleep(PAUSE_SECONDS)

    def _count(self, service: Service) -> None:
        restarts = self._restarts[service.name]
        now = time.monotonic()
        restarts.append(now)
        while restarts[0] < now - RESTARTS_WINDOW_SECONDS:
            restarts.popleft()
        if len(restarts) > RESTARTS_MAX:
            raise EmbeddedServerError(
                f"{service.name} stopped {RESTARTS_MAX} times within a minute; giving up."
            )


def answers(url: str) -> bool:
    """Whether the address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2.0) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except OSError:
        return False
