"""POST /v1/events: events in, one result for each."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from access.budgets import Budgets
from access.limits import Budget
from gateway.http.charging import charge
from gateway.http.errors import json_response
from gateway.http.exchange import Exchange
from ingest.events import EventStatus, Result
from ingest.formats.reading import ReadRequest, is_one_cloudevent, read_request
from ingest.intake import Intake


@dataclass(frozen=True, slots=True)
class EventReceiver:
    """The handler of POST /v1/events."""

    intake: Intake
    budgets: Budgets

    async def receive(self, request: Request) -> Response:
        """200 with results, also when some events were rejected: one bad event sinks no batch.

        Senders of single CloudEvents go by the status alone, so a rejected one is 422.
        """
        results = await self.record(request)
        rejected = any(result.status is EventStatus.REJECTED for result in results)
        status = 422 if rejected and is_one_cloudevent(request.headers) else 200
        return json_response({"results": [result.as_json() for result in results]}, status)

    async def record(self, request: Request, read: ReadRequest = read_request) -> list[Result]:
        """Charges a request, and records the events that are read of it."""
        exchange = Exchange.of(request.scope)
        announced_bytes = int(request.headers.get("content-length", "0"))
        if announced_bytes:  # before it is read
            await charge(exchange, self.budgets, {Budget.KIBIBYTES: _kibibytes(announced_bytes)})
        body = await request.body()
        if not announced_bytes:
            await charge(exchange, self.budgets, {Budget.KIBIBYTES: _kibibytes(len(body))})
        viewer = exchange.required_viewer()
        results = await self.intake.receive(body, request.headers, viewer, read)
        exchange.events = len(results)
        return results


def _kibibytes(size_bytes: int) -> int:
    return -(-size_bytes // 1024)
