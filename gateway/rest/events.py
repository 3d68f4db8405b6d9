"""POST /v1/events: events in, one result for each."""

from starlette.requests import Request
from starlette.responses import Response

from access.limits import Budget
from access.viewers import Permission
from gateway.admission import admit
from gateway.errors import json_response
from gateway.graphql.responses import responses_of
from gateway.requests import log_fields, viewer_of
from ingest.events import Outcome


async def receive_events(request: Request) -> Response:
    """200 with results, also when some events were rejected: one bad event sinks no batch."""
    viewer = viewer_of(request)
    viewer.require(Permission.RECORD)
    announced = int(request.headers.get("content-length", "0"))
    if announced:  # before it is read
        await admit(request, viewer, {Budget.KIBIBYTES: _kibibytes(announced)})
    body = await request.body()
    if not announced:
        await admit(request, viewer, {Budget.KIBIBYTES: _kibibytes(len(body))})
    results = await request.app.state.services.intake.receive(body, request.headers, viewer)
    if responses := responses_of(request):
        accepted = (one.project for one in results if one.status is Outcome.ACCEPTED)
        responses.wrote({project for project in accepted if project})
    log_fields(request)["events"] = len(results)
    return json_response({"results": [result.as_json() for result in results]}, 200)


def _kibibytes(size_bytes: int) -> int:
    return -(-size_bytes // 1024)
