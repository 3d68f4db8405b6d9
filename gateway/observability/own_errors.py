"""Records the gateway's own crashes as errors of one project.

A crash while one is recorded makes no error of its own: it is logged, and what waits is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from gateway.http.crashes import Crash, Frame
from gateway.http.exchange import Exchange
from gateway.observability.recorder import Destination, Record, Recorder

MAX_WAITING = 500
# Of one request; a document may have thousands of fields that crash alike.
MAX_OF_REQUEST = 10
_OWN = (
    *("gateway", "schema", "resolvers", "dataloaders"),
    *("ingest", "analytics", "access", "storage"),
)


@dataclass(frozen=True, slots=True)
class OwnErrors:
    """The crashes of a process of some release, which a recorder stores."""

    recorder: Recorder
    release: str

    @classmethod
    def of(
        cls,
        record: Record,
        destination: Destination,
        release: str,
        on_lost: Callable[[int], None],
    ) -> Self:
        return cls(Recorder("error.occurred", record, destination, MAX_WAITING, on_lost), release)

    def add(self, exchange: Exchange, crashes: Sequence[Crash]) -> None:
        """Queues what crashed in a request, or in an operation on a lasting connection."""
        for crash in crashes[:MAX_OF_REQUEST]:
            self._add(exchange, crash)

    def _add(self, exchange: Exchange, crash: Crash) -> None:
        method, path = exchange.method, exchange.route.path
        payload = _payload(crash) | {"request": {"method": method, "url": path}}
        tags = {"method": method, "endpoint": path, "operation": exchange.operation_name}
        event: dict[str, Any] = {
            "culprit": f"{method} {path}",
            "tags": {name: value for name, value in tags.items() if value},
            "attributes": {"requestId": exchange.request_id},
            "payload": payload,
        }
        if exchange.viewer is not None:
            event["user"] = exchange.viewer.subject
        self._queue(event)

    def add_job(self, name: str, error: BaseException) -> None:
        """Queues a crash of a job of the worker."""
        event = {"culprit": f"job {name}", "tags": {"job": name}}
        self._queue({**event, "payload": _payload(Crash.of(error))})

    def _queue(self, event: dict[str, Any]) -> None:
        self.recorder.add({"release": self.release, "severity": "high", **event})


def _payload(crash: Crash) -> dict[str, Any]:
    """The crash as the SDKs of Sentry send it: the cause first, the outermost frame first."""
    values = [_exception(each) for each in _chain(crash)]
    return {"platform": "python", "exception": {"values": values[::-1]}}


def _chain(crash: Crash | None) -> Iterator[Crash]:
    while crash is not None:
        yield crash
        crash = crash.cause


def _exception(crash: Crash) -> dict[str, Any]:
    return {
        "type": crash.type,
        "module": crash.module,
        "value": crash.message,
        "mechanism": {"type": "gateway", "handled": False},
        "stacktrace": {"frames": [_frame(each) for each in crash.frames]},
    }


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "module": frame.module,
        "function": frame.function,
        "filename": f"{frame.module.replace('.', '/')}.py",
        "lineno": frame.line,
        "in_app": frame.module.partition(".")[0] in _OWN,
    }
