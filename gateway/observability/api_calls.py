"""Records the gateway's own API calls as events of one project."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from gateway.http.edge_route import UNMATCHED
from gateway.http.exchange import Exchange
from gateway.observability.recorder import Destination, Record, Recorder
from gateway.observability.telemetry import known_method

MAX_WAITING = 5_000


@dataclass(frozen=True, slots=True)
class ApiCalls:
    """The calls of the API, which a recorder stores."""

    recorder: Recorder

    @classmethod
    def of(cls, record: Record, destination: Destination, on_lost: Callable[[int], None]) -> Self:
        return cls(Recorder("api.call", record, destination, MAX_WAITING, on_lost))

    def add(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Queues an answered request, unless it was for a probe, a page or no route at all."""
        route, viewer = exchange.route, exchange.viewer
        # Without a viewer, only pages and preflight requests succeed.
        if route.is_public or route is UNMATCHED or (viewer is None and status < 400):
            return
        call: dict[str, Any] = {
            "endpoint": route.path,
            "method": known_method(exchange.method),
            "status": status,
        }
        if not exchange.is_stream:  # which lasts as long as its client reads
            call["durationMs"] = round(seconds * 1000, 3)
        if viewer is not None:
            call["user"] = viewer.subject
        self.recorder.add(call)
