"""POST /v1/events: events in, one result for each."""

from starlette.requests import Request
from starlette.responses import Response

from access.limits import Budget
from access.viewers import Permission
from gateway.admission import admit
from gateway.graphql.answers.responses import responses_of
from gateway.http.errors import json_response
from gateway.http.requests import log_fields, viewer_of
from ingest.events import EventStatus
from ingest.formats.reading import is_one_cloudevent


async def receive_events(request: Request) -> Response:
    """200 with results, also when some events were rejected: one bad event sinks no batch.

    Senders of single CloudEvents go by the status alone, so a rejected one is 422.
    """
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
        accepted = (one.project for one in results if one.status is EventStatus.ACCEPTED)
        responses.wrote({project for project in accepted if project})
    log_fields(request)["events"] = len(results)
    rejected = any(one.status is EventStatus.REJECTED for one in results)
    status = 422 if rejected and is_one_cloudevent(request.headers) else 200
    return json_response({"results": [result.as_json() for result in results]}, status)


def _kibibytes(size_bytes: int) -> int:
    return -(-size_bytes // 1024)
