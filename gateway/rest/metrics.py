"""GET /metrics: text or OpenMetrics, as the scraper prefers."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from gateway.observability.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class MetricsEndpoint:
    telemetry: Telemetry

    async def respond(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        content, content_type = self.telemetry.exposition(accept)
        headers = {"content-type": content_type, "cache-control": "no-store", "vary": "Accept"}
        return Response(content, headers=headers)
