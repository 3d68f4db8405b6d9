"""Events of API calls: each reports a response."""

from ingest.events import MAX_ACTOR_LENGTH
from ingest.wire.kinds import Identifier, Integer, Name
from ingest.wire.wire import Field, Wire
from storage.facts.api_calls import API_CALLS

WIRE = Wire(
    API_CALLS,
    prefix="api",
    types={0: ("call", "called")},
    subject="endpoint",
    fields=(
        Field(
            "endpoint",
            Name(),
            ("route", "path"),
            required=True,
            about="The endpoint: the template of its route, such as /orders/{id}.",
        ),
        Field("method", Name(32), required=True, about="The HTTP method, such as GET."),
        Field(
            "status",
            Integer(100, 599),
            ("statusCode",),
            required=True,
            about="The HTTP status of the response.",
        ),
        Field("responseBytes", Integer(), about="The size of the response, in bytes."),
        Field(
            "user",
            Identifier(MAX_ACTOR_LENGTH),
            ("userId",),
            fills="actor",
            about="The user who called.",
        ),
    ),
)
