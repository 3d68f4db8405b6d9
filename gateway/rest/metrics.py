"""GET /metrics: text or OpenMetrics, as the scraper prefers."""

from starlette.requests import Request
from starlette.responses import Response


async def metrics(request: Request) -> Response:
    content, content_type = request.app.state.telemetry.exposition(
        request.headers.get("accept", "")
    )
    headers = {"content-type": content_type, "cache-control": "no-store", "vary": "Accept"}
    return Response(content, headers=headers)
