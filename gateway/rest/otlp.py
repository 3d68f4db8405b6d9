"""POST /v1/logs: log records of OpenTelemetry in, by OTLP over HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from gateway.http.errors import error_headers, json_response
from gateway.rest.events import EventReceiver
from ingest.events import EventStatus, Result
from ingest.formats.otlp import JSON, PROTOBUF, media_type, read_logs
from storage.errors import GatewayError, RateLimited


@dataclass(frozen=True, slots=True)
class LogReceiver:
    """The handler of POST /v1/logs."""

    events: EventReceiver

    async def receive(self, request: Request) -> Response:
        """200, with the number of records that were rejected; exporters send those never again.

        Raises RateLimited if a record was refused by a budget: exporters then send all again, of
        which those that were stored add nothing, but are charged again.
        """
        results = await self.events.record(request, read_logs)
        waits = [
            each.retry_after_seconds for each in results if each.retry_after_seconds is not None
        ]
        if waits:
            raise RateLimited(
                "Too many records were sent for a project.", retry_after_seconds=max(waits)
            )
        return _answer(_response(results), request.headers)


def _response(results: Sequence[Result]) -> ExportLogsServiceResponse:
    rejected = [each for each in results if each.status is EventStatus.REJECTED]
    response = ExportLogsServiceResponse()
    if rejected:
        first = rejected[0]
        response.partial_success.rejected_log_records = len(rejected)
        response.partial_success.error_message = f"record {first.index}: {first.message}"
    return response


def _answer(response: ExportLogsServiceResponse, headers: Mapping[str, str]) -> Response:
    if media_type(headers) == PROTOBUF:
        return Response(response.SerializeToString(), media_type=PROTOBUF)
    return Response(MessageToJson(response, indent=None), media_type=JSON)


def otlp_error(error: GatewayError, _scope: Scope, request_id: str) -> Response:
    """An error response as OTLP has it; 429 and 503 say that the request may be sent again."""
    body = {"message": f"{error.message} (request {request_id})"}
    return json_response(body, error.http_status, headers=error_headers(error))
